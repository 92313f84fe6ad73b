"""What the two services do with a request of each kind."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
from aiohttp import web
from backend_requests import text
from opentelemetry import trace

log = logging.getLogger("shop")
queue_log = logging.getLogger("queue")
tracer = trace.get_tracer("shop")
session_key = web.AppKey("session", aiohttp.ClientSession)
background_key = web.AppKey("background", set)


class Request:
    """One request of a kind: its number, and its lines."""

    def __init__(self, service: str, request: web.Request) -> None:
        self.aiohttp = request
        self.service = service
        self.kind = request.path.strip("/").split("/")[-2]
        self.n = int(request.match_info["n"])

    def say(self, word: str, logger: logging.Logger = log) -> None:
        logger.info(text(self.service, self.kind, self.n, word), extra={"n": self.n})

    async def ask_back(self) -> int:
        path = f"/stock/{self.kind}/{self.n}"
        async with self.aiohttp.app[session_key].get(path) as answer:
            await answer.read()
        self.say("asked")
        return answer.status


async def ok(call: Request) -> web.StreamResponse:
    call.say("begins")
    await call.ask_back()
    call.say("ends")
    return web.json_response({"n": call.n})


async def posted(call: Request) -> web.StreamResponse:
    call.say("begins")
    body = await call.aiohttp.json()
    await call.ask_back()
    call.say("ends")
    return web.json_response(body, status=201)


async def slow(call: Request) -> web.StreamResponse:
    call.say("begins")
    await asyncio.sleep(0.3)
    await call.ask_back()
    await asyncio.sleep(0.1)
    call.say("ends")
    return web.json_response({"n": call.n})


async def nowhere(call: Request) -> web.StreamResponse:
    call.say("begins")
    assert await call.ask_back() == 404
    raise web.HTTPNotFound


async def moved(call: Request) -> web.StreamResponse:
    call.say("begins")
    await call.ask_back()
    raise web.HTTPFound("/ok/1")


async def refused(call: Request) -> web.StreamResponse:
    call.say("begins")
    await call.ask_back()
    raise web.HTTPForbidden


async def broken(call: Request) -> web.StreamResponse:
    call.say("begins")
    await call.ask_back()
    raise RuntimeError(call.n)


async def stockless(call: Request) -> web.StreamResponse:
    call.say("begins")
    assert await call.ask_back() == 500
    call.say("ends")
    return web.Response(status=502)


async def streamed(call: Request) -> web.StreamResponse:
    call.say("begins")
    await call.ask_back()
    response = web.StreamResponse()
    await response.prepare(call.aiohttp)
    for part in range(2):
        await response.write(b"part")
        call.say(f"part {part}")
        await asyncio.sleep(0.02)
    call.say("ends")
    return response


async def websocket(call: Request) -> web.StreamResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(call.aiohttp)
    call.say("begins")
    async for message in ws:
        call.say(f"heard {message.data}")
        await ws.send_str(message.data)
    await call.ask_back()
    call.say("ends")
    return ws


async def background(call: Request) -> web.StreamResponse:
    async def later() -> None:
        await asyncio.sleep(0.2)
        call.say("later")
        await asyncio.sleep(0.05)
        call.say("last")

    call.say("begins")
    tasks = call.aiohttp.app[background_key]
    task = asyncio.create_task(later())
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    await call.ask_back()
    call.say("ends")
    return web.Response(status=200)


async def threads(call: Request) -> web.StreamResponse:
    call.say("begins")
    await asyncio.to_thread(call.say, "to_thread")
    await asyncio.get_running_loop().run_in_executor(None, call.say, "executor")
    await call.ask_back()
    call.say("ends")
    return web.Response()


async def queued(call: Request) -> web.StreamResponse:
    call.say("begins")
    call.say("queue", queue_log)
    await call.ask_back()
    call.say("ends")
    return web.Response()


async def children(call: Request) -> web.StreamResponse:
    call.say("begins")
    with tracer.start_as_current_span("pack"):
        call.say("packed")
        with tracer.start_as_current_span("wrap", attributes={"n": call.n}):
            await asyncio.sleep(0.01)
            call.say("wrapped")
    await call.ask_back()
    call.say("ends")
    return web.Response()


FRONT = {
    "ok": ok,
    "posted": posted,
    "slow": slow,
    "nowhere": nowhere,
    "moved": moved,
    "refused": refused,
    "broken": broken,
    "stockless": stockless,
    "streamed": streamed,
    "socket": websocket,
    "background": background,
    "threads": threads,
    "queued": queued,
    "children": children,
}


async def stock(call: Request) -> web.StreamResponse:
    call.say("begins")
    if call.kind == "stockless":
        raise LookupError(call.n)
    if call.kind == "streamed":
        response = web.StreamResponse()
        await response.prepare(call.aiohttp)
        await response.write(b"part")
        call.say("part 0")
        await asyncio.sleep(0.02)
        call.say("ends")
        return response
    await asyncio.sleep(0.3 if call.kind == "slow" else 0.02)
    call.say("ends")
    return web.json_response({"left": call.n})
