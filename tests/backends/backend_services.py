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
from backend_handlers import (
    FRONT,
    Request,
    background_key,
    queue_log,
    session_key,
    stock,
)
from backend_requests import KINDS

from otel_aiohttp_logs import client_trace_config, instrument_app


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
