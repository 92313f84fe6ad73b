"""A record that is encoded where it is made is the one that the exporter encodes."""

from __future__ import annotations

import contextvars
import gc
import sys

import pytest
from export.oracle import (
    decoded_logs,
    decoded_spans,
    expected_logs,
    expected_spans,
    log_records,
    spans_of,
    with_status,
)
from export.records import SCOPE, flat_log
from export.test_encoder_properties import contexts, often, readable_spans, texts
from growth import least_growth
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import attach
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanKind, set_span_in_context

from otel_aiohttp_logs.export.backlog import Backlog
from otel_aiohttp_logs.export.weight import weigh_log, weigh_span
from otel_aiohttp_logs.flat import FlatEvent, FlatLink, FlatLog, FlatSpan, Scope
from otel_aiohttp_logs.record.flatten import severity_number
from otel_aiohttp_logs.record.handler import OutletHandler
from otel_aiohttp_logs.record.twins import make_record, native
from otel_aiohttp_logs.span.span import NO_STATE, RecordingSpan

MEBIBYTE = 1 << 20
values = st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | texts | st.floats(0, 1)
fields = st.dictionaries(st.sampled_from(("item", "größe", "k" * 120)), values)


def log_queue(size: int = 1000) -> tuple[OutletHandler, Backlog]:
    queue, handler = Backlog(size, 1000, weigh_log), OutletHandler()
    handler.outlets = (queue.put_log,)
    return handler, queue


def line(text: str = "text", level: int = 20, **extra):
    record = make_record("shop", level, "/a/b.py", 7, text, (), None, "f", None)
    vars(record).update(extra)
    return record


def span_of(readable, sink) -> RecordingSpan:
    """Return a span of ours that says what the SDK's *readable* does."""
    scope = readable.instrumentation_scope
    span = RecordingSpan(
        readable.name,
        readable.context.trace_id,
        readable.context.span_id,
        int(readable.context.trace_flags),
        readable.parent,
        readable.kind,
        Scope(scope.name, scope.version or "", scope.schema_url or ""),
        readable.start_time,
        sink,
        (True, True),
        readable.context.trace_state or NO_STATE,
    )
    span.attributes = dict(readable.attributes)
    span._status = readable.status.status_code.value, readable.status.description or ""
    span._events = [
        FlatEvent(e.timestamp, e.name, dict(e.attributes)) for e in readable.events
    ]
    span._links = [link_of(link) for link in readable.links]
    return span


def link_of(link) -> FlatLink:
    context = link.context
    return FlatLink(
        context.trace_id,
        context.span_id,
        int(context.trace_flags) | (0x300 if context.is_remote else 0x100),
        context.trace_state.to_header(),
        dict(link.attributes),
    )


@given(spans=st.lists(readable_spans, min_size=1, max_size=4))
@often
def test_spans_at_their_end(spans):
    """Spans that end are sent as the SDK's exporter sends the same ones."""
    unique = list({span.context.span_id: span for span in spans}.values())
    queue = Backlog(1000, 1000, weigh_span)
    for readable in unique:
        span_of(readable, queue.put).end(readable.end_time)
    expected = expected_spans(unique)

    ours = with_status(decoded_spans(queue.take()))
    assert list(spans_of(ours)) == list(spans_of(with_status(expected)))


@given(text=texts, level=st.integers(1, 60), extra=fields, parent=st.none() | contexts)
@often
def test_logs_as_they_are_made(text, level, extra, parent):
    """So are log records that a handler passes on, wherever they were made."""
    handler, queue = log_queue()

    def inside():
        if parent is not None:
            attach(set_span_in_context(NonRecordingSpan(parent)))
        record = line(text, level, **extra)
        handler.handle(record)
        return record

    record = contextvars.Context().run(inside)
    theirs = LogRecord(
        timestamp=int(record.created * 1e9),
        observed_timestamp=int(record.created * 1e9),
        severity_number=SeverityNumber(severity_number(level)),
        severity_text=record.levelname,
        body=text,
        attributes=extra,
    )
    theirs.trace_id = parent.trace_id if parent else 0
    theirs.span_id = parent.span_id if parent else 0
    theirs.trace_flags = parent.trace_flags if parent else 0
    readable = ReadableLogRecord(theirs, Resource({}), InstrumentationScope("shop"))

    (ours,) = log_records(decoded_logs(queue.take()))
    (expected,) = log_records(expected_logs([readable]))
    if any(len(value) > 1024 for value in extra.values() if isinstance(value, str)):
        del ours.attributes[:], expected.attributes[:]  # long ones are cut
    assert ours == expected


def test_what_waits_does_not_change():
    """A span is what it was at its end, whatever becomes of its attributes."""
    queue = Backlog(1000, 1000, weigh_span)
    items = ["tea"]
    span = span_in(queue.put)
    span.attributes["items"] = items
    span.end(5)
    span.set_attribute("late", 1)
    items.append("jam")
    span.end(6)

    (ours,) = spans_of(decoded_spans(queue.take()))
    assert [pair.key for pair in ours.attributes] == ["items"]
    if native:
        (value,) = ours.attributes[0].value.array_value.values
        assert value.string_value == "tea"
    assert ours.end_time_unix_nano == 5


def span_in(sink, **changes) -> RecordingSpan:
    span = RecordingSpan(
        *("GET /", 1 << 64 | 5, 7, 1, None, SpanKind.SERVER, SCOPE, 1, sink),
        *((True, True), NO_STATE),
    )
    for name, value in changes.items():
        setattr(span, name, value)
    return span


class Text(str):
    __slots__ = ()


UNUSUAL_SPANS = (
    {"attributes": {"n": 1 << 70}},
    {"attributes": {"set": {1, 2}}},
    {"attributes": {"a": Text("own")}},
    {"name": "\ud800"},
    {"start_time": -1},
    {"trace_id": 1 << 128},
    {"scope": Scope(Text("own"))},
    {"scope": Scope(["unhashable"])},
    {"_status": ("not a number", "")},
)


@pytest.mark.parametrize("changes", UNUSUAL_SPANS, ids=repr)
def test_unusual_spans_among_others(changes):
    """What can't be encoded at once goes out all the same, and in its place."""
    queue = Backlog(1000, 1000, weigh_span)
    for number, odd in enumerate(({}, changes, {})):
        span_in(queue.put, span_id=number + 1, **odd).end(5)

    batch = queue.take()
    assert len(batch) == 3
    assert isinstance(batch[1], FlatSpan)
    found = [(span.span_id[-1], span.name) for span in spans_of(decoded_spans(batch))]
    assert sorted(number for number, _ in found) == [1, 2, 3]
    if "scope" not in changes:
        assert [number for number, _ in found] == [1, 2, 3]


def test_unusual_logs_among_others():
    """So does a log record, in the order in which they were made."""
    handler, queue = log_queue()
    try:
        raise ValueError
    except ValueError:
        failed = line("2")
        failed.exc_info = sys.exc_info()
    for record in (
        line("1"),
        failed,
        line("3", request_id="mine"),
        line("4", n=1 << 70),
    ):
        handler.handle(record)
    queue.put(flat_log("5"))

    batch = queue.take()
    sent = log_records(decoded_logs(batch))
    assert [record.body.string_value for record in sent] == list("12345")
    assert isinstance(batch[4], FlatLog)
    assert {pair.key for pair in sent[1].attributes} >= {"exception.type"}


@pytest.mark.skipif(native is None, reason="nothing is compiled")
def test_the_ordinary_is_packed():
    """An ordinary record waits as bytes, which the collector of cycles doesn't see."""
    handler, queue = log_queue()
    spans = Backlog(1000, 1000, weigh_span)
    handler.handle(line(item="tea", price=1.5))
    span_in(spans.put).end(5)

    for record in (*queue.take(), *spans.take()):
        assert not isinstance(record, tuple)
        assert not gc.is_tracked(record)
        with pytest.raises(TypeError):
            type(record)()


def test_a_full_queue_counts():
    """What doesn't fit is counted, and costs nothing more; so is what is too heavy."""
    handler, queue = log_queue(size=2)
    for _ in range(5):
        handler.handle(line())
    assert queue.stats().dropped == {"queue_full": 3}

    spans = Backlog(10**6, 1000, weigh_span)
    for _ in range(100):
        span_in(spans.put, attributes={"large": "x" * MEBIBYTE}).end(5)
    stats = spans.stats()
    assert 60 <= stats.queued <= 64
    assert stats.queued + stats.dropped["queue_full"] == 100
    assert len(spans.take()) in {4, 5}  # as many as fit into one request
    assert handler.failures == 0


def test_records_made_while_one_is_encoded():
    """A destructor may log in the middle of that: each record arrives as it was."""
    handler, queue = log_queue(size=10_000)
    spans = Backlog(10_000, 10_000, weigh_span)
    said = 0

    class Chatty:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            nonlocal said
            said += 1
            handler.handle(line("destructor", item="tea" * 20))

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(300):
            Chatty()
            # What has no form in UTF-8 makes an exception, for which memory is needed.
            span_in(spans.put, attributes={"a": "b" * 90, "odd": "\ud800"}).end(5)
    finally:
        gc.set_threshold(*before)
    gc.collect()

    records = []
    while batch := queue.take():
        records += log_records(decoded_logs(batch))
    assert said == len(records) == 300
    assert {record.body.string_value for record in records} == {"destructor"}
    found = spans_of(decoded_spans(spans.take()))
    assert [len(span.attributes) for span in found] == [2] * 300


def test_a_wake_up_that_fails(caplog):
    """What waking raises is counted once, and the record is queued once."""
    handler, queue = log_queue()

    def fail() -> None:
        raise RuntimeError

    queue.wake = fail
    queue.rearm(1)
    handler.handle(line())

    assert handler.failures == 1
    assert len(queue) == 1
    assert [record.message for record in caplog.records] == ["record_telemetry_failed"]


def test_nothing_is_left_behind():
    """Records hold on to no memory once they are sent, and count references right."""
    handler, queue = log_queue()
    spans = Backlog(1000, 1000, weigh_span)

    def send(times: int) -> None:
        for number in range(times):
            handler.handle(line(f"line {number}", item=number))
            handler.handle(line("no form", odd="\ud800"))
            for changes in ({}, *UNUSUAL_SPANS):
                span_in(spans.put, **changes).end(5)
            decoded_logs(queue.take())
            decoded_spans(spans.take())

    def references():
        gc.collect()
        return sys.getrefcount(SCOPE), sys.getrefcount(queue.put_log)

    send(20)
    before = references()
    assert least_growth(lambda: send(20)) < 4_000
    assert references() == before
