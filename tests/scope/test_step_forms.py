"""``step`` in all of its forms, and where things go wrong around it."""

from __future__ import annotations

import asyncio
import logging

import pytest
from opentelemetry import trace

from otel_aiohttp_logs import step

log = logging.getLogger("shop")
HERE = __name__


def test_each_kind_of_function(stamped, said, records):
    """As a decorator each call is a step; its line stands where the function does."""

    @step("sync", kind="s")
    def sync(number):
        return number + 1

    @step("rows", kind="g")
    def rows():
        yield 1
        log.info("in rows")
        return 2

    @step("pages")
    async def pages():
        yield 1
        log.info("in pages")
        yield 2

    async def all_pages():
        found = []
        async for page in pages():
            log.info("between")
            found.append(page)
        return found

    assert [sync(1), sync(2)] == [2, 3]
    assert list(rows()) == [1]
    assert asyncio.run(all_pages()) == [1, 2]

    assert len(said("sync: ok", every=True)) == 2
    assert said("in rows") == {"step": "rows"}
    assert said("in pages") == {"step": "pages"}
    assert said("between", every=True) == [{}, {}]
    assert said("rows: ok").keys() == {"step", "kind", "duration", "outcome"}
    places = {r.getMessage(): (r.funcName, r.name, r.pathname) for r in records}
    for name in ("sync", "rows", "pages"):
        assert places[f"{name}: ok"] == (name, HERE, __file__)


async def test_a_generator_that_is_not_taken_to_its_end(stamped, said):
    """It's cancelled when it is closed, by whoever; one that raises has failed."""

    @step("left")
    async def left():
        yield 1
        yield 2

    @step("broken")
    async def broken():
        yield 1
        raise KeyError("x")

    generator = left()
    await generator.__anext__()
    await asyncio.create_task(generator.aclose())
    with pytest.raises(KeyError):
        [item async for item in broken()]

    assert said("left: cancelled")["outcome"] == "cancelled"
    assert said("broken: failed")["outcome"] == "failed"


async def test_a_block_that_is_left_in_another_context(stamped, said, records):
    """Its line is written all the same, and OpenTelemetry doesn't complain."""

    async def rows():
        with step("rows"):
            yield 1

    generator = rows()
    await asyncio.create_task(anext_of(generator))
    await generator.aclose()
    log.info("after")

    assert said("rows: cancelled")["step"] == "rows"
    assert said("after") == {}
    assert [r for r in records if r.levelno > logging.INFO] == []


async def anext_of(generator):
    return await generator.__anext__()


def test_without_any_of_us(records):
    """Where nothing is instrumented it's a line, and no error."""
    with step("alone", name="n", order=1):
        assert not trace.get_current_span().is_recording()

    (record,) = records
    assert record.getMessage() == "alone: ok"
    assert (record.order, record.outcome) == (1, "ok")
    assert record.name == HERE


def test_names_of_its_own(stamped, said):
    """Fields named like those of the line itself keep their values, renamed."""
    with step("x", duration=5, outcome="mine", levelname="l", trace_id="t"):
        pass

    fields = said("x: ok")
    assert fields.pop("duration") != 5
    assert fields == {
        "step": "x",
        "outcome": "ok",
        "extra.duration": 5,
        "extra.outcome": "mine",
        "levelname": "l",
        "extra.trace_id": "t",
    }


def test_a_provider_that_raises(stamped, said, records):
    """What the application's own parts raise doesn't come out of a step."""

    class Broken(logging.Filter):
        def filter(self, record):
            raise RuntimeError("broken filter")

    logger, broken = logging.getLogger(HERE), Broken()
    logger.addFilter(broken)
    with pytest.raises(LookupError), step("x"):
        raise LookupError("mine")
    logger.removeFilter(broken)
    with step("y"):
        pass

    assert said("y: ok")["outcome"] == "ok"
    assert len(records) <= 2


@pytest.mark.parametrize("level", [logging.WARNING, logging.CRITICAL])
def test_levels(stamped, records, level):
    """A line that its logger doesn't want isn't made."""
    logger = logging.getLogger(HERE)
    logger.setLevel(level)
    with step("ok"):
        pass
    with pytest.raises(LookupError), step("failing"):
        raise LookupError
    logger.setLevel(logging.NOTSET)

    found = [r.getMessage() for r in records]
    assert found == (["failing: failed"] if level == logging.WARNING else [])
