"""``with bound(…)``: fields of a block, whatever becomes of the block."""

from __future__ import annotations

import asyncio
import contextvars
import logging

import pytest
from aiohttp import web
from opentelemetry import trace

from otel_aiohttp_logs import bind, bound

log = logging.getLogger("shop")


async def test_on_the_lines_of_the_block_only(instrumented, arrived, said):
    """They are on the lines of the block, also of its tasks; not on the span."""

    async def handler(request):
        bind(user=7)
        with bound(page=1, user=8):
            log.info("inside")
            async with bound(page=2):
                await asyncio.create_task(later("task"))
            log.info("inside again")
        log.info("after")
        return web.Response()

    async def later(name):
        await asyncio.sleep(0)
        log.info(name)

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    await client.get("/")

    (span,) = await arrived.served()
    assert said("inside") == {"user": 8, "page": 1}
    assert said("task") == {"user": 8, "page": 2}
    assert said("inside again") == {"user": 8, "page": 1}
    assert said("after") == {"user": 7}
    assert "page" not in span.attributes
    assert span.attributes["user"] == 7


def test_what_is_bound_inside_stays(stamped, said):
    """``bind`` is for all later lines, also where it's called inside of blocks."""
    with bound(page=1):
        with bound(row=1):
            bind(user=7, page=2)
            log.info("innermost")
        log.info("inner")
    log.info("after")

    assert said("innermost") == {"page": 2, "row": 1, "user": 7}
    assert said("inner") == {"page": 2, "user": 7}
    assert said("after") == {"page": 2, "user": 7}


def test_an_exception_ends_it(stamped, said):
    """The exception comes out unchanged, and the fields are gone."""
    error = LookupError("no")

    with pytest.raises(LookupError) as raised, bound(page=1):
        raise error
    log.info("after")

    assert raised.value is error
    assert said("after") == {}


def test_as_a_decorator(stamped, said):
    """Each call is a block of its own, also recursive ones and coroutines."""

    @bound(page=1)
    def sync(depth):
        """Documented."""
        log.info("sync")
        return depth and sync(depth - 1)

    @bound(page=2)
    async def coroutine(name):
        await asyncio.sleep(0)
        log.info("coroutine")
        return name

    async def two():
        return await asyncio.gather(coroutine("a"), coroutine("b"))

    assert (sync(1), sync.__doc__) == (0, "Documented.")
    assert asyncio.run(two()) == ["a", "b"]
    log.info("after")
    assert said("sync", every=True) == [{"page": 1}] * 2
    assert said("coroutine", every=True) == [{"page": 2}] * 2
    assert said("after") == {}


def test_generators_that_take_turns(stamped, said):
    """Two blocks of generators that end in the wrong order leave nothing behind."""

    def rows(name, number):
        with bound(**{name: True}):
            for row in range(number):
                log.info("row %s %s", name, row)
                yield row

    first, second = rows("first", 2), rows("second", 3)
    for generator in (first, second, first, first, second, second, second):
        next(generator, None)
    log.info("after")

    assert said("row second 2") == {"second": True}
    assert said("after") == {}


def test_a_decorated_generator_pauses(stamped, said):
    """The lines of the one who takes the items are not the generator's."""

    @bound(page=1)
    def rows():
        got = yield "first"
        log.info("got %s", got)
        try:
            yield "second"
        except KeyError:
            log.info("thrown")
        return "done"

    def taking():
        return (yield from rows())

    taker = taking()
    assert next(taker) == "first"
    log.info("between")
    assert taker.send("this") == "second"
    with pytest.raises(StopIteration) as stopped:
        taker.throw(KeyError())

    assert stopped.value.value == "done"
    assert said("got this") == {"page": 1}
    assert said("thrown") == {"page": 1}
    assert said("between") == {}


async def test_what_is_thrown_into_a_decorated_generator(stamped, said):
    """It arrives there, and a generator is closed within its block."""

    @bound(page=1)
    def rows():
        try:
            yield 1
        finally:
            log.info("closing")

    @bound(page=2)
    async def pages():
        try:
            yield 1
        except KeyError:
            log.info("caught")
            yield 2

    generator, pager = rows(), pages()
    next(generator)
    generator.close()
    await pager.__anext__()

    assert await pager.athrow(KeyError()) == 2
    assert said("closing") == {"page": 1}
    assert said("caught") == {"page": 2}


async def test_a_decorated_async_generator_pauses(stamped, said):
    """As a sync one; it may be closed by another task, and says nothing of it."""
    closed = asyncio.Event()

    @bound(page=1)
    async def rows():
        try:
            got = yield "first"
            log.info("got %s", got)
            yield "second"
        finally:
            log.info("closing")
            closed.set()

    generator = rows()
    assert await generator.__anext__() == "first"
    log.info("between")
    assert await generator.asend("this") == "second"
    await asyncio.create_task(generator.aclose())
    log.info("after")

    assert closed.is_set()
    assert said("got this") == {"page": 1}
    assert said("closing") == {"page": 1}
    assert said("between") == {}
    assert said("after") == {}


def test_left_in_another_context(stamped, said, records):
    """A block that is left elsewhere than it was entered is silent and harms nobody."""
    block = bound(page=1)

    contextvars.copy_context().run(block.__enter__)
    log.info("outside")
    block.__exit__(None, None, None)
    log.info("after")

    assert said("outside") == {}
    assert said("after") == {}
    assert len(records) == 2


async def test_one_block_used_by_many_tasks(stamped, said):
    """A block that is kept and used again, also at the same time, is each time new."""
    block = bound(page=1)

    async def use(name, turns):
        with block:
            for _ in range(turns):
                await asyncio.sleep(0)
            log.info("in %s", name)
        log.info("out %s", name)

    await asyncio.gather(use("long", 5), use("short", 1))

    for name in ("long", "short"):
        assert said(f"in {name}") == {"page": 1}
        assert said(f"out {name}") == {}


def test_spans_around_it(stamped, said):
    """A span that ends inside of the block, or around it, changes nothing."""
    tracer = trace.get_tracer("shop")

    with bound(page=1):
        with tracer.start_as_current_span("inner"):
            bind(user=7)
        log.info("inside")
    with tracer.start_as_current_span("outer"), bound(page=2):
        pass
    log.info("after")

    assert said("inside") == {"page": 1, "user": 7}
    assert said("after") == {"user": 7}
