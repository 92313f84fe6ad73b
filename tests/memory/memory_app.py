"""The application whose requests are counted, and how it is begun: ours, or plain."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from pathlib import Path

from aiohttp import web

from otel_aiohttp_logs import bind, instrument_app, step

log = logging.getLogger("memory")
# Not a WeakSet: requests and applications can't be hashed.
alive: dict[int, weakref.ref[object]] = {}


def watch(thing: object) -> None:
    """Keep *thing* in ``alive`` while it's alive."""
    number = id(thing)
    alive[number] = weakref.ref(thing, lambda _: alive.pop(number, None))


@web.middleware
async def count(request, handler):
    watch(request)
    return await handler(request)


async def plain(request):
    log.info("plain %s", request.match_info["number"], extra={"kind": "plain"})
    return web.Response(text="plain")


async def bound(request):
    if "request_id" in request:  # outside of a request of ours it would say so
        bind(number=request.match_info["number"])
        with step("work", size=1):
            await asyncio.sleep(0)
    return web.Response(text="bound")


async def redirect(request):
    raise web.HTTPFound("/plain/1")


async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"streamed")
    return response


async def upload(request):
    return web.Response(text=str(len(await request.read())))


async def thread(request):
    await asyncio.to_thread(log.info, "in a thread")
    return web.Response(text="thread")


async def child(request):
    request.app["children"].add(task := asyncio.create_task(asyncio.sleep(0)))
    task.add_done_callback(request.app["children"].discard)
    return web.Response(text="child")


async def mark(request):
    return web.Response(text="=mark=")


async def error(request):
    raise ValueError(request.path)


async def timeout(request):
    raise asyncio.TimeoutError


async def slow(request):
    await asyncio.sleep(30)
    return web.Response()


async def websocket(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await ws.send_str(message.data)
    return ws


@web.middleware
async def pass_on(request, handler):
    return await handler(request)


def make_app(*, ours: bool) -> web.Application:
    app = web.Application(middlewares=[count])
    for handler in (redirect, stream, thread, child, mark, error, timeout, slow):
        app.router.add_get(f"/{handler.__name__}", handler)
    app.router.add_get("/plain/{number}", plain)
    app.router.add_get("/bound/{number}", bound)
    app.router.add_get("/ws", websocket)
    app.router.add_post("/upload", upload)
    app["children"] = set()
    if ours:
        instrument_app(app, output="none")
    else:
        app.middlewares.insert(0, pass_on)
    return app


async def serve(app: web.Application) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


def what_is_there() -> dict[str, int]:
    """Return how many there are of each type of ours and of aiohttp's, threads, …"""
    numbers = {
        "threads": threading.active_count(),
        # None where the system has no such folder.
        "descriptors": sum(1 for _ in Path("/proc/self/fd").glob("*")),
    }
    for thing in gc.get_objects():
        name = f"{type(thing).__module__}.{type(thing).__qualname__}"
        if name.startswith(("otel_aiohttp_logs.", "aiohttp.", "opentelemetry.")):
            numbers[name] = numbers.get(name, 0) + 1
    return numbers
