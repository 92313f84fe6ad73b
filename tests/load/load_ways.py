"""Ways to say something in a thread, a job of a pool, or a callback."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from load_kind import say


class Ways:
    """
    Each way to say something elsewhere: a coroutine function of (number, what).

    They return when it has been said. The application uses them from its requests, and
    from outside of them: the same pools and threads serve both.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2)

    def close(self) -> None:
        self._pool.shutdown()

    async def to_thread(self, number, what):
        await asyncio.to_thread(say, number, what)

    async def default_executor(self, number, what):
        await asyncio.get_running_loop().run_in_executor(None, say, number, what)

    async def own_executor(self, number, what):
        await asyncio.get_running_loop().run_in_executor(self._pool, say, number, what)

    async def submitted(self, number, what):
        await asyncio.wrap_future(self._pool.submit(say, number, what))

    async def mapped(self, number, what):
        await asyncio.to_thread(list, self._pool.map(partial(say, number), [what]))

    async def done_in_a_pool(self, number, what):
        """The callback of a job, which its worker calls."""

        def start(job):
            wait = threading.Event()
            self._pool.submit(wait.wait, 10).add_done_callback(lambda _: job())
            wait.set()

        await _until_done(start, number, what)

    async def thread(self, number, what):
        await _until_done(
            lambda job: threading.Thread(target=job).start(), number, what
        )

    async def own_thread(self, number, what):
        class Own(threading.Thread):
            def __init__(self, job):
                super().__init__()
                self._job = job

            def run(self):
                self._job()

        await _until_done(lambda job: Own(job).start(), number, what)

    async def failing_thread(self, number, what):
        """What ``threading.excepthook`` says of it, see ``load_elsewhere``."""

        def fail():
            raise RuntimeError(f"~{number}~ {what}")

        thread = threading.Thread(target=fail)
        thread.start()
        await asyncio.to_thread(thread.join)

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

    async def from_a_thread(self, number, what):
        """A coroutine that a thread hands to the loop, and waits for."""

        async def speak():
            say(number, what)

        def hand_over(loop):
            asyncio.run_coroutine_threadsafe(speak(), loop).result(10)

        await asyncio.to_thread(hand_over, asyncio.get_running_loop())

    async def done_callback(self, number, what):
        task = asyncio.ensure_future(asyncio.sleep(0.001))
        await _until_done(
            lambda job: task.add_done_callback(lambda _: job()), number, what
        )


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


def ways_of(kind: type) -> list[str]:
    """Return the names of the ways that *kind* has."""
    return [name for name in vars(kind) if not name.startswith("_") and name != "close"]
