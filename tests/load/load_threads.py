"""Kinds that log in threads, from callbacks, or by a handler that is elsewhere."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import queue
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from aiohttp import web
from load_kind import LATE, Kind, add_routes, number_of, say

from otel_aiohttp_logs import JSONFormatter

OK = "ok"


class Ways:
    """
    Each way to say something elsewhere: a coroutine function of (number, what).

    They return when it has been said. The application uses them from its requests, and
    from outside of them: the same pools and threads serve both.
    """

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(2)
        self.single = ThreadPoolExecutor(1)
        self.listener = listening("load.queued")
        self.passing = PassingOn(self.single)
        deaf = logging.getLogger("load.passed")
        deaf.addHandler(self.passing)
        deaf.propagate = False

    def close(self) -> None:
        self.listener.stop()
        self.pool.shutdown()
        self.single.shutdown()

    async def to_thread(self, number, what):
        await asyncio.to_thread(say, number, what)

    async def default_executor(self, number, what):
        await asyncio.get_running_loop().run_in_executor(None, say, number, what)

    async def own_executor(self, number, what):
        await asyncio.get_running_loop().run_in_executor(self.pool, say, number, what)

    async def submitted(self, number, what):
        await asyncio.wrap_future(self.pool.submit(say, number, what))

    async def mapped(self, number, what):
        await asyncio.to_thread(list, self.pool.map(partial(say, number), [what]))

    async def thread(self, number, what):
        await _until_done(
            lambda job: threading.Thread(target=job).start(), number, what
        )

    async def timer(self, number, what):
        await _until_done(lambda job: threading.Timer(0.005, job).start(), number, what)

    async def call_later(self, number, what):
        loop = asyncio.get_running_loop()
        await _until_done(lambda job: loop.call_later(0.003, job), number, what)

    async def call_soon(self, number, what):
        loop = asyncio.get_running_loop()
        await _until_done(loop.call_soon, number, what)

    async def call_soon_threadsafe(self, number, what):
        loop = asyncio.get_running_loop()
        await _until_done(loop.call_soon_threadsafe, number, what)

    async def queued(self, number, what):
        logging.getLogger("load.queued").info("~%s~ %s", number, what)

    async def passed(self, number, what):
        logging.getLogger("load.passed").info("~%s~ %s", number, what)

    async def warned(self, number, what):
        warnings.warn(f"~{number}~ {what}", UserWarning, stacklevel=1)


async def _until_done(start, number, what):
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def finish():
        if not done.done():
            done.set_result(None)

    def job():
        say(number, what)
        with suppress(RuntimeError):  # the loop is closed by then
            loop.call_soon_threadsafe(finish)

    start(job)
    await done


class ToBoth(logging.StreamHandler):
    """
    Writes each record to stdout, and gives it to the root logger's handlers.

    Ours for stdout is silent there, because the application has a handler.
    """

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.setFormatter(JSONFormatter())

    def emit(self, record):
        super().emit(record)
        logging.getLogger().handle(record)


class PassingOn(logging.Handler):
    """Has each record handled in another thread."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        super().__init__()
        self._pool = pool
        self._to_both = ToBoth()

    def emit(self, record):
        self._pool.submit(self._to_both.handle, record)


def listening(logger: str) -> logging.handlers.QueueListener:
    records = queue.SimpleQueue()
    logging.getLogger(logger).addHandler(logging.handlers.QueueHandler(records))
    logging.getLogger(logger).propagate = False
    listener = logging.handlers.QueueListener(records, ToBoth())
    listener.start()
    return listener


def handler_for(way: str):
    async def handler(request):
        number = number_of(request)
        say(number, "asking")
        await getattr(request.app["ways"], way)(number, f"by {way}")
        say(number, "asked")
        return web.Response(text=OK)

    return handler


async def thread_after(request):
    """A thread that goes on after its request."""
    number, ended = number_of(request), threading.Event()

    def go_on():
        say(number, "in a thread")
        ended.wait(10)
        say(number, f"{LATE} in a thread")

    thread = threading.Thread(target=go_on)
    thread.start()
    request.app["threads"].append(thread)
    loop = asyncio.get_running_loop()
    asyncio.current_task().add_done_callback(lambda _: loop.call_later(0.01, ended.set))
    return web.Response(text=OK)


OTHERS = ("warned",)
"""Ways by which others than the application's logger write the line."""
WAYS = [name for name in vars(Ways) if not name.startswith("_") and name != "close"]
KINDS = (
    *(
        Kind(
            name.replace("_", "-"),
            handler_for(name),
            lines=2 if name in OTHERS else 3,
            others=int(name in OTHERS),
        )
        for name in WAYS
    ),
    Kind("thread after", thread_after, 2),
)


def add_to(app: web.Application) -> None:
    logging.captureWarnings(True)
    warnings.simplefilter("always", UserWarning)
    app["ways"] = ways = Ways()
    app["threads"] = threads = []

    async def close(_):
        for thread in threads:
            await asyncio.to_thread(thread.join)
        ways.close()

    app.on_cleanup.append(close)
    add_routes(app, KINDS)
