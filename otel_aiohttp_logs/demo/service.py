"""
How a service of the demo is served: its socket, its health check, its leash.

Variables: ``HOST`` and ``PORT``; for a service that is started by the demo also
``LISTEN_FD``, a listening socket that it inherits, and ``LEASH``, which ends it when
its standard input does.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

from aiohttp import web

from otel_aiohttp_logs import instrument_app
from otel_aiohttp_logs.demo.metrics import measure

HEALTH = "/healthz"


def serve(app: web.Application, *, default_port: int) -> None:
    """Serve *app*, instrumented, until it is told to end."""
    if os.environ.get("LEASH"):
        _end_with_standard_input()
    app.router.add_get(HEALTH, _healthy)
    measure()
    instrument_app(app, quiet_routes=[HEALTH])
    try:
        sock = _listening_socket(default_port)
    except OSError as exc:
        where = "{}:{}".format(*_where(default_port))
        why = os.strerror(exc.errno) if exc.errno else exc
        sys.exit(f"cannot listen on {where}: {why}; set HOST and PORT to choose where.")
    web.run_app(
        app,
        sock=sock,
        # Off by default: a handler whose caller has gone would run to its end.
        handler_cancellation=True,
        shutdown_timeout=3,
        print=None,
    )


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _listening_socket(default_port: int) -> socket.socket:
    inherited = os.environ.get("LISTEN_FD")
    if inherited:
        return socket.socket(fileno=int(inherited))
    return socket.create_server(_where(default_port))


def _where(default_port: int) -> tuple[str, int]:
    host, port = os.environ.get("HOST"), os.environ.get("PORT")
    if port and not port.isdigit():
        sys.exit(f"PORT is {port!r}: write a number, such as {default_port}.")
    return host or "127.0.0.1", int(port or default_port)


def _end_with_standard_input() -> None:
    """
    End this process when the parent that holds the pipe is gone.

    It works for a parent that was killed, too, on every POSIX system.
    """

    def wait() -> None:
        # Not sys.stdin: its lock, held here, would trouble the interpreter's exit.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        # The receiver went with the parent: nothing is worth a longer wait.
        time.sleep(2)
        os._exit(1)

    threading.Thread(target=wait, name="leash", daemon=True).start()
