"""``OTEL_LOGRECORD_*``: what a log record carries beside its text."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web

from otel_aiohttp_logs.pipeline.limited import within
from otel_aiohttp_logs.span.limits import RecordLimits

log = logging.getLogger("shop")


async def handler(_):
    log.warning("a text of its own", extra={"a": "abcdefgh", "b": ["abcdefgh"], "c": 1})
    return web.Response()


@pytest.fixture
async def line(monkeypatch, instrumented, arrived):
    """Return the line of a request that is served with these variables."""

    async def line(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        app = web.Application()
        app.router.add_get("/", handler)
        client = await instrumented(app)
        await client.get("/")
        (line,) = await arrived.lines(1)
        return line

    return line


def ids_are_there(line):
    return line.body == "a text of its own" and line.trace_id and line.span_id


# The SDK warns of what it leaves out; as an error that would lose the line.
@pytest.mark.filterwarnings("ignore:Log record attributes were dropped")
async def test_a_record_keeps_its_limits(line, pipeline):
    """
    Text and ids are no attributes; how many were left out is said. The SDK's warnings
    about it, which are lines as well, make no further ones.
    """
    found = await line(
        OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT="2",
        OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT="3",
    )

    assert ids_are_there(found)
    if pipeline == "own":
        assert found.attributes.pop("otel.dropped_attributes_count") >= 2
        assert found.attributes == {"a": "abc", "b": ["abc"]}
    else:
        assert len(found.attributes) == 2
        assert found.proto.dropped_attributes_count >= 2


async def test_the_general_limits_hold_for_records_too(line, pipeline):
    """Where they have none of their own."""
    found = await line(OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT="4")

    assert ids_are_there(found)
    assert (found.attributes["a"], found.attributes["b"]) == ("abcd", ["abcd"])
    assert found.attributes["c"] == 1


async def test_without_limits_nothing_is_left_out(line):
    """A record's fields are those of the call."""
    found = await line()

    assert (found.attributes["a"], found.attributes["c"]) == ("abcdefgh", 1)
    assert found.proto.dropped_attributes_count == 0


def test_without_limits_there_is_no_step():
    """What emits is the exporter's own function."""
    emit = [].append

    assert within(emit, RecordLimits()) is emit
