"""
Lines that belong to no request, though a request may have begun what writes them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from load_elsewhere import WAYS
from load_kind import NONE, Kind, add_routes, number_of, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

OK = "ok"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Wire(asyncio.Protocol):
    """A connection as a pool of a database has it: its callbacks log."""

    def connection_made(self, transport):
        say(NONE, "wire: connected")

    def data_received(self, data):
        say(NONE, "wire: received")

    def connection_lost(self, exc):
        say(NONE, "wire: closed")


class Lazy:
    """What the first request begins, and what goes on long after it."""

    def __init__(self, leaving: Callable[[], AbstractContextManager[object]]) -> None:
        self._leaving = leaving
        self._begun = False
        self._beginning = asyncio.Lock()

    async def begin(self) -> None:
        async with self._beginning:
            if not self._begun:
                await self._begin()
                self._begun = True

    async def _begin(self) -> None:
        with self._leaving():
            say(NONE, "lazy: beginning")
            self._jobs: asyncio.Queue[int] = asyncio.Queue()
            self._worker = asyncio.create_task(self._work())
            loop = asyncio.get_running_loop()
            self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
            port = self._server.sockets[0].getsockname()[1]
            self._wire, _ = await loop.create_connection(Wire, "127.0.0.1", port)
            traced = aiohttp.TraceConfig()
            traced.on_connection_create_end.append(self._connected)
            self._session = aiohttp.ClientSession(
                f"http://127.0.0.1:{port}",
                connector=aiohttp.TCPConnector(limit=1),
                trace_configs=[traced],
            )
            await self._fetch()

    async def use(self) -> None:
        self._jobs.put_nowait(1)
        self._wire.write(b"GET / HTTP/1.1\r\n\r\n")
        await self._fetch()

    async def end(self) -> None:
        if not self._begun:
            return
        self._worker.cancel()
        with suppress(asyncio.CancelledError):
            await self._worker
        self._wire.close()
        await self._session.close()
        self._server.close()
        await self._server.wait_closed()

    async def _work(self) -> None:
        while True:
            await self._jobs.get()
            say(NONE, "lazy: worker")
            await asyncio.to_thread(say, NONE, "lazy: worker in a thread")

    async def _fetch(self) -> None:
        async with self._session.get("/") as response:
            await response.read()

    async def _connected(self, *_) -> None:
        say(NONE, "lazy: session connected")

    async def _answer(self, reader, writer) -> None:
        say(NONE, "lazy: accepted")
        with suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                say(NONE, "lazy: answering")
                writer.write(ANSWER)
        writer.close()


async def lazy(request):
    say(number_of(request), "before")
    lazy = request.app["lazy"]
    await lazy.begin()
    await lazy.use()
    say(number_of(request), "behind")
    return web.Response(text=OK)


async def tick(app: web.Application):
    """Say something in each way there is, all the time."""

    async def forever():
        while True:
            for way in WAYS:
                await app["ways"][way](NONE, f"tick by {way}")
            say(NONE, "tick")
            await asyncio.sleep(0.05)

    say(NONE, "context: begins")
    task = asyncio.create_task(forever())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await app["lazy"].end()
    say(NONE, "context: ends")


async def start(_):
    say(NONE, "start-up")


async def clean_up(_):
    say(NONE, "clean-up")


KINDS = (Kind("lazy", lazy, 2),)
EXPECTED = (
    "start-up",
    "context: begins",
    "tick",
    "lazy: worker",
    "lazy: answering",
    "lazy: session connected",
    "wire: received",
    "context: ends",
    "clean-up",
)


def add_to(
    app: web.Application, leaving: Callable[[], AbstractContextManager[object]]
) -> None:
    """Add all to *app*: *leaving* is ``detached``, or what is taken for it."""
    app["lazy"] = Lazy(leaving)
    app.cleanup_ctx.append(tick)
    app.on_startup.append(start)
    app.on_cleanup.append(clean_up)
    add_routes(app, KINDS)
