"""An application with a handler for each kind of answer, made anew for each server."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from pathlib import Path

routes = web.RouteTableDef()


@routes.get("/plain/{name}")
async def plain(request):
    return web.Response(
        text=f"hello {request.match_info['name']}", headers={"X-A": "b"}
    )


@routes.get("/json")
async def json(request):
    return web.json_response({"query": dict(request.query)})


@routes.get("/redirect")
async def redirect(request):
    raise web.HTTPFound("/plain/moved")


@routes.get("/raised/{status}")
async def raised(request):
    kinds = {403: web.HTTPForbidden, 410: web.HTTPGone, 503: web.HTTPServiceUnavailable}
    raise kinds[int(request.match_info["status"])](
        text="no", headers={"X-Reason": "because"}
    )


@routes.get("/stream")
async def stream(request):
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    for part in (b"one", b"two", b"three"):
        await response.write(part)
    await response.write_eof(b"end")
    return response


@routes.get("/length")
async def known_length(request):
    response = web.StreamResponse()
    response.content_length = 6
    await response.prepare(request)
    await response.write(b"abc")
    await response.write(b"def")
    return response


@routes.get("/generator")
async def generator(request):
    async def parts():
        for number in range(3):
            await asyncio.sleep(0)
            yield b"part %d;" % number

    return web.Response(body=parts())


@routes.get("/compressed")
async def compressed(request):
    response = web.Response(text="again and again " * 50)
    response.enable_compression()
    return response


@routes.get("/cookies")
async def cookies(request):
    response = web.Response(text=str(sorted(request.cookies.items())))
    response.set_cookie("one", "1", max_age=60)
    response.del_cookie("two")
    return response


@routes.get("/own-id")
async def own_id(request):
    return web.Response(text="mine", headers={"X-Request-ID": "the-application's"})


@routes.get("/none")
async def nothing(request):
    return None


@routes.get("/text")
async def no_response(request):
    return "a text is no response"


@routes.get("/error")
async def error(request):
    msg = "a defect"
    raise ValueError(msg)


@routes.get("/timeout")
async def timeout(request):
    raise asyncio.TimeoutError


@routes.get("/late")
async def late_error(request):
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"so far")
    raise ZeroDivisionError


@routes.post("/upload")
async def upload(request):
    body = await request.read()
    return web.Response(text=f"{len(body)} {zlib.crc32(body)}")


@routes.post("/form")
async def form(request):
    fields = await request.post()
    said = {
        name: value
        if isinstance(value, str)
        else [value.filename, len(value.file.read())]
        for name, value in fields.items()
    }
    return web.json_response(said)


@routes.post("/early")
async def early(request):
    return web.Response(status=413, text="enough")


@routes.get("/ws")
async def websocket(request):
    ws = web.WebSocketResponse(protocols=("chat",))
    await ws.prepare(request)
    async for message in ws:
        if message.data == "close":
            await ws.close(code=4000, message=b"as you wish")
        elif message.type is web.WSMsgType.TEXT:
            await ws.send_str(message.data.upper())
        else:
            await ws.send_bytes(message.data[::-1])
    return ws


@routes.view("/view")
class View(web.View):
    async def get(self):
        return web.Response(text="viewed")


@web.middleware
async def middleware(request, handler):
    if request.path == "/middleware-error":
        raise LookupError(request.path)
    if request.path == "/middleware-answer":
        return web.Response(status=202, text="answered outside")
    return await handler(request)


def make_app(folder: Path) -> web.Application:
    app = web.Application(middlewares=[middleware, web.normalize_path_middleware()])
    app.add_routes(routes)
    app.router.add_static("/static", folder, show_index=True)
    sub = web.Application()
    sub.router.add_get("/{item}", plain_item)
    app.add_subapp("/sub", sub)
    return app


async def plain_item(request):
    return web.Response(text=f"item {request.match_info['item']}")
