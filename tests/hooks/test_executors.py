"""A job that a request submits logs with that request's ids; its worker is nobody's."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import pytest

from otel_aiohttp_logs import request_id

colour = contextvars.ContextVar("colour", default="none")
log = logging.getLogger("shop")


class Subclass(ThreadPoolExecutor):
    """One that looks at its jobs, as some do."""

    def __init__(self):
        super().__init__(1)
        self.seen = []

    def submit(self, fn, /, *args, **kwargs):
        self.seen.append(fn)
        return super().submit(fn, *args, **kwargs)


@pytest.fixture
def pool():
    """A pool of one worker, older than the application."""
    with ThreadPoolExecutor(1) as made:
        yield made


def ways(pool):
    """Each way to give a job to a thread, by its name."""
    loop = asyncio.get_running_loop()

    def mapped():
        return loop.run_in_executor(None, lambda: list(pool.map(log.info, ["mapped"])))

    return {
        "default pool": lambda: loop.run_in_executor(None, log.info, "default pool"),
        "own pool": lambda: loop.run_in_executor(pool, log.info, "own pool"),
        "submit": lambda: asyncio.wrap_future(pool.submit(log.info, "submit")),
        "partial": lambda: loop.run_in_executor(pool, partial(log.info, "partial")),
        "mapped": mapped,
        "to_thread": lambda: asyncio.to_thread(log.info, "to_thread"),
    }


async def test_each_way_to_a_thread(asked, said, pool):
    """Default and own pools, map, submit, to_thread: one line each, with its ids."""
    names = []

    async def work():
        for name, way in ways(pool).items():
            names.append(name)
            await way()

    ids = [await asked(work) for _ in range(2)]

    half = len(names) // 2
    assert ids[0] != ids[1]
    assert said() == list(zip(names, [ids[0]] * half + [ids[1]] * half, strict=True))


async def test_requests_that_take_turns(serve, asked, pool):
    """Of jobs in one pool at the same time each has the ids of its own request."""
    loop, ids, barrier = asyncio.get_running_loop(), [], threading.Barrier(4)

    def job():
        barrier.wait(10)
        return request_id()

    async def work():
        with_pool = await loop.run_in_executor(wide, job)
        ids.append((with_pool, request_id()))

    with ThreadPoolExecutor(4) as wide:
        asked_ids = await asyncio.gather(*(asked(work) for _ in range(4)))

    assert sorted(ids) == sorted((one, one) for one in asked_ids)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_callback_of_a_jobs_future(asked, said, pool, when):
    """It has the ids of the request that added it, before or after the job is done."""
    futures = []

    async def work():
        futures.append(pool.submit(time.sleep, 0.02 if when == "before" else 0))
        if when == "after":
            await asyncio.wrap_future(futures[0])
        futures[0].add_done_callback(lambda _: log.info("done"))

    asked_id = await asked(work)
    await asyncio.wrap_future(futures[0])
    futures[0].add_done_callback(lambda _: log.info("outside"))

    assert said() == [("done", asked_id), ("outside", None)]


async def test_a_worker_belongs_to_nobody(asked, pool):
    """A worker that a request caused to start has no ids outside of that job."""
    loop = asyncio.get_running_loop()

    async def work():
        await loop.run_in_executor(pool, request_id)

    await asked(work)

    assert await loop.run_in_executor(pool, request_id) is None


async def test_the_initializer_of_a_pool_is_nobodys(asked):
    """It prepares a worker for the jobs of all, whoever came first."""
    seen = []
    with ThreadPoolExecutor(1, initializer=lambda: seen.append(request_id())) as pool:

        async def work():
            await asyncio.get_running_loop().run_in_executor(pool, request_id)

        await asked(work)

    assert seen == [None]


async def test_a_job_submitted_outside_of_a_request(asked, pool):
    """Job and callback run as without us: without the context of whoever submitted."""
    seen = []
    await asked(lambda: asyncio.sleep(0))
    colour.set("red")
    future = pool.submit(lambda: time.sleep(0.02) or colour.get())
    future.add_done_callback(lambda _: seen.append(colour.get()))
    seen.append(await asyncio.wrap_future(future))

    assert seen == ["none", "none"]


async def test_a_subclass_sees_the_job_that_was_submitted(asked):
    """What the application gave to submit(), in a request, too."""
    pool, seen = Subclass(), []

    async def work():
        seen.append(await asyncio.get_running_loop().run_in_executor(pool, request_id))

    with pool:
        asked_id = await asked(work)

    assert pool.seen == [request_id]
    assert seen == [asked_id]


async def failure_of(job, pool):
    """Return what *job* raises, and whether the traceback shows a file of ours."""
    try:
        await asyncio.get_running_loop().run_in_executor(pool, job)
    except (TypeError, ValueError) as error:
        files = {f.filename for f in traceback.extract_tb(error.__traceback__)}
        return str(error), any(
            "otel_aiohttp_logs/hooks" in f for f in files - {__file__}
        )
    return None


async def test_what_submit_does_is_unchanged(asked, pool):
    """Results, exceptions, keywords, wrong calls and wrong jobs end as without us."""
    ends = []

    async def work():
        ends.append(await asyncio.wrap_future(pool.submit(int, "ff", base=16)))
        ends.append(await failure_of(partial(int, "tea"), pool))
        ends.append(await failure_of(None, pool))
        with pytest.raises(TypeError, match="'fn'"):
            pool.submit()

    await asked(work)

    assert ends[0] == 255
    assert ends[1] == ("invalid literal for int() with base 10: 'tea'", False)
    assert ends[2] == ("'NoneType' object is not callable", False)


def test_to_thread_is_left_alone():
    """Its job brings its context: a second one would be for nothing."""
    from contextvars import copy_context

    from opentelemetry.context import attach, set_value

    from otel_aiohttp_logs.hooks.executors import carrying_submit
    from otel_aiohttp_logs.hooks.method import Switch
    from otel_aiohttp_logs.scope.request import REQUEST

    given = []
    submit = carrying_submit(lambda _, fn: given.append(fn), Switch())
    job = partial(copy_context().run, request_id)
    variables = copy_context()
    variables.run(attach, set_value(REQUEST, None))
    variables.run(submit, None, job)
    variables.run(submit, None, request_id)

    assert given[0] is job
    assert given[1] is not request_id


async def test_a_pool_of_processes_works_as_without_us(asked):
    """No context can go there: its jobs run without ids, which is documented."""
    seen = []

    async def work():
        loop = asyncio.get_running_loop()
        seen.append(await loop.run_in_executor(pool, request_id))

    with ProcessPoolExecutor(1, mp_context=_spawn()) as pool:
        await asked(work)

    assert seen == [None]


def _spawn():
    import multiprocessing

    return multiprocessing.get_context("spawn")
