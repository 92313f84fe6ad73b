"""
The service under load: a program that logs to stdout and to the Collector.

``load_server.py asyncio|uvloop|eager REQUESTS right|leaking`` listens on the socket
that it gets as descriptor 0, until SIGTERM.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import nullcontext
from pathlib import Path

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
    loop, requests, variant = sys.argv[1:]
    web.run_app(
        application(int(requests), variant),
        sock=socket.socket(fileno=0),
        loop=new_loop(loop),
        handler_cancellation=True,
        shutdown_timeout=2,
        print=None,
    )


if __name__ == "__main__":
    main()
