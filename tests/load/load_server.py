"""
The service under load: a program that logs to stdout and to the Collector.

``load_server.py asyncio|uvloop|eager|thread REQUESTS right|leaking`` listens on the
socket that it gets as descriptor 0, until SIGTERM. ``thread`` is asyncio in a thread.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

# The fake Collector isn't needed here, only what is beside this file.
sys.path.append(str(Path(__file__).parent))

import load_departures
import load_elsewhere
import load_failures
import load_outside
import load_scopes
import load_shapes
import load_tasks
from aiohttp import web

from otel_aiohttp_logs import detached, instrument_app

if TYPE_CHECKING:
    from collections.abc import Callable


def new_loop(kind: str) -> asyncio.AbstractEventLoop:
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    loop = asyncio.new_event_loop()
    if kind == "eager":
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop


def application(requests: int, variant: str) -> web.Application:
    app = web.Application(client_max_size=100_000)
    instrument_app(app, output="json")
    load_shapes.add_to(app, range(requests))
    load_tasks.add_to(app)
    load_elsewhere.add_to(app)
    load_failures.add_to(app)
    load_departures.add_to(app)
    load_scopes.add_to(app)
    load_outside.add_to(app, {"right": detached, "leaking": nullcontext}[variant])
    return app


def main() -> None:
    kind, requests, variant = sys.argv[1:]
    loop = new_loop(kind)
    serve = partial(
        web.run_app,
        application(int(requests), variant),
        sock=socket.socket(fileno=0),
        loop=loop,
        handler_cancellation=True,
        shutdown_timeout=2,
        print=None,
    )
    if kind == "thread":
        serve_in_a_thread(serve, loop)
    else:
        serve()


def serve_in_a_thread(
    serve: Callable[..., None], loop: asyncio.AbstractEventLoop
) -> None:
    def end():
        raise web.GracefulExit

    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(end))
    thread = threading.Thread(target=serve, kwargs={"handle_signals": False})
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
