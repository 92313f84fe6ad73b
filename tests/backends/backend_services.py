"""
Two services as an application would write them, ``front`` and ``back``.

``python backend_services.py front PORT_FILE`` serves one on a free port of loopback,
which it writes to PORT_FILE. Everything else is in the environment: ``PIPELINE``,
``BACK_URL`` for front, and the variables of OpenTelemetry.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import socket
import sys
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path

import aiohttp
from aiohttp import web
from backend_requests import KINDS, text
from opentelemetry import trace

from otel_aiohttp_logs import client_trace_config, instrument_app

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


def handler(service, function):
    async def handle(request: web.Request) -> web.StreamResponse:
        return await function(Request(service, request))

    return handle


async def finish_background(app: web.Application) -> None:
    await asyncio.gather(*app[background_key])


class Onwards(logging.Handler):
    """Gives the records of a queue to the root logger's handlers."""

    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger().handle(record)


async def queue_of(_: web.Application):
    """
    Have the lines of one logger handled in a thread, as applications do whose handlers
    are slow.
    """
    lines = queue.SimpleQueue()
    listener = QueueListener(lines, Onwards())
    queue_log.addHandler(QueueHandler(lines))
    queue_log.propagate = False
    listener.start()
    yield
    listener.stop()


async def session_of(app: web.Application):
    async with aiohttp.ClientSession(
        os.environ["BACK_URL"],
        connector=aiohttp.TCPConnector(limit=0),
        trace_configs=[client_trace_config()],
    ) as session:
        app[session_key] = session
        yield


def front_app() -> web.Application:
    app = web.Application()
    app[background_key] = set()
    for kind in KINDS:
        if kind.routed:
            app.router.add_route(
                kind.method, kind.route, handler("front", FRONT[kind.name])
            )
    app.cleanup_ctx.extend([session_of, queue_of])
    app.on_shutdown.append(finish_background)
    return app


def back_app() -> web.Application:
    app = web.Application()
    for kind in KINDS:
        if kind.back_status and kind.back_routed:
            app.router.add_get(kind.back_route, handler("back", stock))
    return app


def write_whole(path: Path, content: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(content)
    part.rename(path)


def main(service: str, port_file: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = str(listening.getsockname()[1])

    async def tell_the_port(_: web.Application) -> None:
        await asyncio.to_thread(write_whole, Path(port_file), port)

    app = front_app() if service == "front" else back_app()
    app.on_startup.append(tell_the_port)
    instrument_app(
        app, pipeline=os.environ["PIPELINE"], output="json", span_events=True
    )
    web.run_app(app, sock=listening, backlog=512, print=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
