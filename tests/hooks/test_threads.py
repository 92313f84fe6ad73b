"""A thread that a request starts logs with that request's ids, and no other does."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading

import pytest
from opentelemetry import trace

from otel_aiohttp_logs import detached, request_id
from otel_aiohttp_logs.record.said import said as fields_of

log = logging.getLogger("shop")
colour = contextvars.ContextVar("colour", default="none")


async def ended(thread):
    """Wait for *thread* without holding up the loop, for ten seconds at most."""
    await asyncio.wait_for(asyncio.to_thread(thread.join, 10), 20)


class Subclass(threading.Thread):
    def __init__(self):
        super().__init__(name="of a subclass")

    def start(self):
        super().start()

    def run(self):
        log.info("subclass")


THREADS = {
    "thread": lambda: threading.Thread(target=log.info, args=("thread",)),
    "timer": lambda: threading.Timer(0.01, log.info, ("timer",)),
    "daemon": lambda: threading.Thread(target=log.info, args=("daemon",), daemon=True),
    "subclass": Subclass,
}


@pytest.mark.parametrize("kind", THREADS)
async def test_a_thread_started_in_a_request(asked, said, kind):
    """Thread and Timer, daemons and subclasses: their lines have the request's ids."""

    async def work():
        thread = THREADS[kind]()
        thread.start()
        await ended(thread)

    asked_id = await asked(work)

    assert said() == [(kind, asked_id)]


async def test_a_thread_sees_a_copy_of_the_context(asked):
    """The application's variables, too; what the thread sets, nobody else sees."""
    seen = []

    def in_thread():
        seen.append((colour.get(), request_id()))
        colour.set("red")

    async def work():
        colour.set("blue")
        thread = threading.Thread(target=in_thread)
        thread.start()
        await ended(thread)
        seen.append((colour.get(), request_id()))

    asked_id = await asked(work)

    assert seen == [("blue", asked_id)] * 2


async def test_a_thread_that_goes_on_after_the_answer(asked, said, records):
    """It keeps the ids, and its line says that the request had ended."""
    answered, threads = threading.Event(), []

    def late():
        answered.wait(10)
        log.info("late")

    async def work():
        threads.append(threading.Thread(target=late))
        threads[0].start()

    asked_id = await asked(work)
    answered.set()
    await ended(threads[0])

    (line,) = [r for r in records if r.name == "shop"]
    assert line.request_id == asked_id
    assert fields_of(line).fields["request.ended"] is True


async def test_a_span_begun_in_a_thread_hangs_under_the_requests(asked):
    """What the API calls the current span is the same in the thread."""
    seen = []

    def in_thread():
        seen.append(trace.get_current_span())

    async def work():
        thread = threading.Thread(target=in_thread)
        thread.start()
        await ended(thread)
        seen.append(trace.get_current_span())

    await asked(work)

    assert seen[0] is seen[1]
    assert seen[0].get_span_context().is_valid


async def test_the_excepthook_of_a_thread(asked, said):
    """What it logs has the request's ids; the traceback is as without us."""
    depths = []

    def hook(args):
        log.error("died of %s", args.exc_value)
        traceback, names = args.exc_traceback, []
        while traceback is not None:
            names.append(traceback.tb_frame.f_code.co_name)
            traceback = traceback.tb_next
        depths.append(names)

    def dies():
        raise ValueError("no tea")

    async def work():
        thread = threading.Thread(target=dies)
        thread.start()
        await ended(thread)

    before, threading.excepthook = threading.excepthook, hook
    try:
        asked_id = await asked(work)
        outside = threading.Thread(target=dies)
        outside.start()
        await ended(outside)
    finally:
        threading.excepthook = before

    assert said() == [("died of no tea", asked_id), ("died of no tea", None)]
    assert depths[0] == depths[1]


async def test_threads_of_two_requests(asked, said):
    """Each has the ids of its own."""
    ids = {}

    async def work(name):
        thread = threading.Thread(target=log.info, args=(name,))
        thread.start()
        await ended(thread)

    for name in ("tea", "jam"):
        ids[name] = await asked(lambda name=name: work(name))

    assert ids["tea"] != ids["jam"]
    assert said() == list(ids.items())


async def test_a_thread_started_outside_of_a_request(asked, said):
    """It starts as without us, with an empty context, though a hook is on."""
    await asked(_pass)
    thread = threading.Thread(target=log.info, args=("outside",))
    thread.start()
    await ended(thread)

    assert "_bootstrap_inner" not in vars(thread)
    assert said() == [("outside", None)]


async def _pass():
    await asyncio.sleep(0)


async def test_a_thread_started_twice(asked, said):
    """The second start raises what it always did; the thread runs once."""
    caught = []

    async def work():
        thread = threading.Thread(target=log.info, args=("once",))
        thread.start()
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            thread.start()
        await ended(thread)
        caught.append("_bootstrap_inner" in vars(thread))

    asked_id = await asked(work)

    assert said() == [("once", asked_id)]
    assert caught == [False]


async def test_a_thread_is_freed_as_without_us(asked):
    """A thread that ended has nothing of ours, which would refer to it in a circle."""
    seen = []

    async def work():
        threads = threading.Thread(target=int), threading.Thread(target=int)
        threads[0].start()
        detached().__enter__()
        threads[1].start()
        for thread in threads:
            await ended(thread)
            seen.append(vars(thread).keys())

    await asked(work)

    assert seen[0] == seen[1]
