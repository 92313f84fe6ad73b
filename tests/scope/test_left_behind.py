"""Nothing is left behind: no circle of references, no field that outlives its block."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest
from aiohttp import web

from otel_aiohttp_logs import bind, bound, detached, step
from otel_aiohttp_logs.scope.block import Run
from otel_aiohttp_logs.scope.fields import BOUND
from otel_aiohttp_logs.scope.step import StepRun

log = logging.getLogger("shop")


@pytest.fixture
def runs_left():
    """
    Return the blocks that are alive and weren't before; without the garbage collector.

    Those of other tests may be: aiohttp caches handlers, and these hold tasks.
    """

    def alive():
        return [each for each in gc.get_objects() if type(each) is Run]

    gc.collect()
    gc.disable()
    before = alive()
    yield lambda: [run for run in alive() if run not in before]
    gc.enable()


async def use_all():
    bind(user=7)
    with bound(page=1), step("outer"), detached():
        bind(inside=True)
        log.info("inside")
    with pytest.raises(LookupError), step("outer"), step("inner"):
        raise LookupError("no")

    @step("rows")
    async def rows():
        yield 1

    async for _ in rows():
        pass


def test_no_circles(stamped, runs_left):
    """What a block held goes when it ends, without the garbage collector."""
    asyncio.run(use_all())

    assert runs_left() == []


async def test_a_request_that_is_over(instrumented, arrived, runs_left):
    """A request that used everything leaves no block of it behind."""

    async def handler(request):
        await use_all()
        await asyncio.gather(use_all(), asyncio.to_thread(bind, thread=True))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    await client.get("/")
    await arrived.served()

    assert runs_left() == []


def test_binding_for_ever(stamped):
    """A worker that binds again and again keeps one value of each name."""

    async def worker():
        with bound(worker=3):
            for number in range(10_000):
                bind(number=number)
                with bound(turn=number):
                    bind(inner=number)
        return BOUND.get()

    left = asyncio.run(worker())

    assert left.fields == {"number": 9999, "inner": 9999}
    assert left.layers == ()


async def test_a_step_that_has_ended(stamped):
    """What fails in a task of its own afterwards isn't kept by it."""

    async def later():
        await ended.wait()
        with pytest.raises(LookupError), step("inner"):
            raise LookupError

    ended = asyncio.Event()
    with step("outer"):
        task = asyncio.create_task(later())
    ended.set()
    await task

    # The task's context still has the outer step.
    runs = [each for each in gc.get_objects() if type(each) is StepRun]
    assert [each.traced for each in runs if each.traced is not None] == []
