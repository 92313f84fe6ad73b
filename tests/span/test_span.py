"""Our span behaves as the API says, and becomes one flat record."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
)

from otel_aiohttp_logs.flat import Scope
from otel_aiohttp_logs.span.sampling import sampler
from otel_aiohttp_logs.span.tracer import OwnTracerProvider, SpanPipeline


@pytest.fixture
def finished():
    return []


@pytest.fixture
def provider(finished):
    provider = OwnTracerProvider()
    provider.pipeline = SpanPipeline(sampler("always_on", 1.0), finished.append)
    return provider


@pytest.fixture
def tracer(provider):
    return provider.get_tracer("shop", "1.2", "https://example.org/schema")


def remote(flags=0x01):
    context = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(flags))
    return trace.set_span_in_context(NonRecordingSpan(context), Context())


def test_a_span_becomes_one_flat_record(tracer, finished):
    """Everything that was set on a span is in its record."""
    with tracer.start_as_current_span(
        "work", kind=SpanKind.CLIENT, attributes={"a": 1}, start_time=5
    ) as span:
        span.set_attribute("b", ["x", "y"])
        span.add_event("thing", {"c": True}, timestamp=6)
        span.update_name("work {id}")

    (record,) = finished
    context = span.get_span_context()
    assert (record.trace_id, record.span_id) == (context.trace_id, context.span_id)
    assert (record.name, record.kind) == ("work {id}", SpanKind.CLIENT.value)
    assert record.parent_span_id == 0
    assert record.start_ns == 5
    assert record.end_ns > 5
    assert record.attributes == {"a": 1, "b": ["x", "y"]}
    assert record.events == [(6, "thing", {"c": True}, 0)]
    assert record.scope == Scope("shop", "1.2", "https://example.org/schema")


def test_children_hang_under_the_current_span(tracer, finished):
    """A child has its parent's trace; a new trace is random, as level 2 says."""
    with tracer.start_as_current_span("parent") as parent:
        tracer.start_span("child").end()

    child, top = finished
    assert child.trace_id == top.trace_id
    assert child.parent_span_id == top.span_id
    assert parent.get_span_context().trace_flags == 0x03
    assert child.flags & 0x300 == 0x100


@pytest.mark.parametrize(("flags", "expected"), [(0x01, 0x301), (0x03, 0x303)])
def test_a_remote_parent_is_marked(tracer, finished, flags, expected):
    """The record says that its parent is another process's, and keeps its flags."""
    tracer.start_span("served", remote(flags)).end()

    assert finished[0].parent_span_id == 2
    assert finished[0].flags == expected


def test_an_ended_span_is_fixed(tracer, finished):
    """After the end nothing changes, and there is no second record."""
    span = tracer.start_span("once")
    span.end(7)
    span.end(8)
    span.set_attribute("late", 1)
    span.add_event("late")
    span.update_name("late")
    span.set_status(StatusCode.ERROR)
    span.record_exception(ValueError())
    span.add_link(SpanContext(1, 1, is_remote=False))

    (record,) = finished
    assert (record.name, record.end_ns, record.attributes) == ("once", 7, {})
    assert (len(record.events), len(record.links), record.status_code) == (0, 0, 0)
    assert not span.is_recording()


def test_an_escaping_exception_is_recorded(tracer, finished):
    """As with the SDK's span: an event, and the status ERROR."""
    with pytest.raises(KeyError), tracer.start_span("x"):
        raise KeyError("lost")
    with pytest.raises(OSError, match="gone"), tracer.start_as_current_span("y"):
        raise OSError("gone")

    kinds = [record.events[0].attributes["exception.type"] for record in finished]
    assert kinds == ["KeyError", "OSError"]
    assert "in test_an_escaping" in str(
        finished[0].events[0].attributes["exception.stacktrace"]
    )
    assert [r.status_code for r in finished] == [2, 2]
    assert [r.status_message for r in finished] == ["KeyError: 'lost'", "OSError: gone"]


def test_an_unprintable_exception_is_recorded(tracer, finished):
    """An exception whose text raises takes nothing else with it."""

    class BadError(Exception):
        def __str__(self):
            raise RuntimeError

    span = tracer.start_span("x")
    span.record_exception(BadError())
    span.end()

    message = finished[0].events[0].attributes["exception.message"]
    assert "unprintable" in message


def test_values_are_copied(tracer, finished):
    """A value that changes later does not change the span."""
    value = [1]
    span = tracer.start_span("x", attributes={"v": value})
    value.append(2)
    span.end()

    assert list(finished[0].attributes["v"]) == [1]


def test_what_is_not_sampled_still_has_ids(provider, tracer, finished):
    """Ids are passed on, unsampled and unrecorded; also with no pipeline at all."""
    provider.pipeline = SpanPipeline(sampler("always_off", 1.0), finished.append)
    unsampled = tracer.start_span("x", remote(0x03))
    provider.pipeline = None
    idle = tracer.start_span("y")
    for span in (unsampled, idle):
        assert not span.is_recording()
        span.end()

    assert unsampled.get_span_context().trace_id == 1
    assert unsampled.get_span_context().trace_flags == 0x02
    assert idle.get_span_context().is_valid
    assert finished == []


def test_forked_processes_make_ids_of_their_own():
    """The children of a pre-forking server don't repeat each other's ids."""
    code = (
        "import os\n"
        "from otel_aiohttp_logs.span.ids import new_trace_id\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0:\n"
        "        os.write(1, f'{new_trace_id():032x} '.encode())\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "print(f'{new_trace_id():032x}')"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert len(set(shown.stdout.split())) == 3
