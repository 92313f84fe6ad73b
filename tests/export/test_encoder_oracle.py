"""Our encoder makes of a record what upstream's makes of it, field by field."""

from __future__ import annotations

import logging
import random
import string

import pytest
from export.oracle import (
    decoded_logs,
    decoded_spans,
    expected_logs,
    expected_spans,
    flat_log_of,
    flat_span_of,
    with_status,
)
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._internal import _encode_value
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ProtoResource
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from otel_aiohttp_logs.export.encoder import encode_resource
from otel_aiohttp_logs.export.values import any_value

RESOURCE = {
    "service.name": "shop",
    "service.version": "1.2",
    "process.pid": 4711,
    "process.command_args": ["python", "-m", "shop"],
    "ratio": 0.25,
    "canary": True,
}

SPAN_VALUES = ("a", "ä" * 200, True, False, 1, -1, 1.0, 0.0, ["a", "b"], [1, 2], [True])


@pytest.fixture
def finished():
    return InMemorySpanExporter()


@pytest.fixture
def provider(finished):
    limits = SpanLimits(
        max_span_attributes=6,
        max_events=2,
        max_links=2,
        max_event_attributes=3,
        max_link_attributes=3,
    )
    provider = TracerProvider(
        resource=Resource(RESOURCE), span_limits=limits, shutdown_on_exit=False
    )
    provider.add_span_processor(SimpleSpanProcessor(finished))
    yield provider
    provider.shutdown()


@pytest.fixture
def written():
    return InMemoryLogRecordExporter()


@pytest.fixture
def log_provider(written):
    provider = LoggerProvider(resource=Resource(RESOURCE), shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(written))
    yield provider
    provider.shutdown()


def caller(*, remote: bool = True, flags: int = 1) -> SpanContext:
    return SpanContext(
        random.getrandbits(128) | 1,
        random.getrandbits(64) | 1,
        is_remote=remote,
        trace_flags=TraceFlags(flags),
        trace_state=TraceState([("vendor", "a:b"), ("other", "1")]),
    )


def assert_same_spans(finished) -> None:
    readables = finished.get_finished_spans()
    ours = decoded_spans([flat_span_of(span) for span in readables], RESOURCE)

    assert readables
    assert with_status(ours) == with_status(expected_spans(readables))


def test_root_span(provider, finished):
    """A span without parent, attributes and events has none of their fields."""
    provider.get_tracer("a").start_span("root").end()

    assert_same_spans(finished)


def test_whole_span(provider, finished):
    """
    A span with everything in it: remote parent, tracestate, attributes of each type,
    events, links, status, and counts of what the limits dropped.
    """
    tracer = provider.get_tracer("a", "1.0", schema_url="https://example.com/schema")
    parent = set_span_in_context(NonRecordingSpan(caller()))
    links = [
        Link(caller(), {"n": 1}),
        Link(caller(remote=False)),
        Link(caller(flags=0), {"list": [1.5, 2.5]}),
    ]
    span = tracer.start_span("GET /x", parent, SpanKind.SERVER, links=links)
    for number in range(9):
        span.set_attribute(
            f"key{number}", [number, True, 0.5, "ü€😀", [1, 2]][number % 5]
        )
    span.add_event("first", {"exception.message": "too much"})
    span.add_event("second", {"n": 2**62}, timestamp=1)
    span.add_event("third")
    span.set_status(Status(StatusCode.ERROR, "it broke: ä"))
    span.end()

    assert_same_spans(finished)
    (flat,) = map(flat_span_of, finished.get_finished_spans())
    assert flat.dropped_attributes
    assert flat.dropped_events
    assert flat.dropped_links


@pytest.mark.parametrize("kind", SpanKind)
@pytest.mark.parametrize("code", StatusCode)
def test_kinds_and_statuses(provider, finished, kind, code):
    """Each kind of span and each status has the number that OTLP gives it."""
    span = provider.get_tracer("a").start_span("x", kind=kind)
    span.set_status(Status(code))
    span.end()

    assert_same_spans(finished)


def test_flags_of_parents(provider, finished):
    """The flags say whether the parent is remote, beside the W3C flags."""
    tracer = provider.get_tracer("a")
    for remote in (True, False):
        parent = set_span_in_context(NonRecordingSpan(caller(remote=remote)))
        tracer.start_span("x", parent).end()
    tracer.start_span("root").end()

    assert_same_spans(finished)
    flags = [flat_span_of(span).flags for span in finished.get_finished_spans()]
    assert [flag & 0x301 for flag in flags] == [0x301, 0x101, 0x101]


def test_scopes_are_grouped_in_order(provider, finished):
    """Spans are grouped by scope, versions apart, and keep their order in there."""
    for number in range(12):
        version = None if number % 4 == 0 else f"1.{number % 4}"
        tracer = provider.get_tracer("ab"[number % 2], version)
        tracer.start_span(f"span {number}").end()

    assert_same_spans(finished)


@pytest.mark.parametrize("severity", SeverityNumber)
def test_severities(log_provider, written, severity):
    """Each severity number, and a level of the application's own, comes through."""
    log_provider.get_logger("shop").emit(
        LogRecord(
            timestamp=5,
            observed_timestamp=5,
            severity_number=severity,
            severity_text=f"LEVEL{severity.value}",
            body="x",
        )
    )

    readables = written.get_finished_logs()
    ours = decoded_logs(map(flat_log_of, readables), RESOURCE)

    assert ours == expected_logs(readables)


def test_logs_of_a_request_and_outside(log_provider, written, provider):
    """Ids and flags are those of the span, and are left out outside of a trace."""
    tracer = provider.get_tracer("a")
    for number in range(6):
        with tracer.start_as_current_span("x"):
            emit(log_provider, number)
        emit(log_provider, number)

    readables = written.get_finished_logs()
    ours = decoded_logs(list(map(flat_log_of, readables)), RESOURCE)

    assert ours == expected_logs(readables)
    assert len(ours.resource_logs[0].scope_logs) == 2


def emit(log_provider, number: int) -> None:
    log_provider.get_logger(f"shop.{number % 2}").emit(
        LogRecord(
            timestamp=number + 1,
            observed_timestamp=number + 1,
            severity_number=SeverityNumber.INFO,
            severity_text=logging.getLevelName(20),
            body=f"line {number} äöü",
            attributes={"n": number, "map": {"a": [1, "b", None]}, "raw": b"\x00\xff"},
        )
    )


def test_resource():
    """The resource has each attribute with its type."""
    ours = ProtoResource.FromString(encode_resource(RESOURCE))
    expected = ProtoResource()
    for key, value in RESOURCE.items():
        pair = expected.attributes.add(key=key)
        pair.value.CopyFrom(_encode_value(value))

    assert ours == expected


def random_text() -> str:
    size = random.choice((0, 1, 10, 126, 127, 128, 129, 300, 20_000))
    alphabet = random.choice((string.ascii_letters, "äß€", "😀\x00\n\x1b\u2028", "x"))
    return "".join(random.choices(alphabet, k=size))


def random_value(depth: int = 0):
    kinds = (
        random_text,
        lambda: random.choice((True, False, None, 0, 1, -1, 0.0, -0.0, 1.0, 2**63 - 1)),
        lambda: random.randint(-(2**63), 2**63 - 1),
        lambda: random.randint(-300, 300),
        lambda: random.choice((float("inf"), random.random(), 5e-324, -1.5e300)),
        lambda: random.randbytes(random.choice((0, 1, 127, 128, 5000))),
        lambda: [random_value(depth + 1) for _ in range(random.randrange(4))],
        lambda: {random_text(): random_value(depth + 1) for _ in range(3)},
    )
    return random.choice(kinds if depth < 5 else kinds[:6])()


def test_random_values():
    """A value of any kind, nested or not, is encoded as upstream encodes it."""
    for _ in range(300):
        value = random_value()

        assert AnyValue.FromString(any_value(value)) == _encode_value(value)


def test_random_logs(log_provider, written):
    """Records of random content, with keys and values that come again, are the same."""
    keys = [random_text() or "k" for _ in range(8)]
    pool = [random_value(4) for _ in range(20)]
    loggers = [log_provider.get_logger(random_text() or "x") for _ in range(4)]
    for _ in range(300):
        record = LogRecord(
            timestamp=random.getrandbits(64),
            observed_timestamp=0,
            severity_number=random.choice(list(SeverityNumber)),
            severity_text=random_text(),
            body=random_text(),
            attributes={
                random.choice(keys): random.choice(pool)
                for _ in range(random.randrange(5))
            },
        )
        record.observed_timestamp = record.timestamp
        record.trace_id = random.choice((0, random.getrandbits(128), 1))
        record.span_id = random.choice((0, random.getrandbits(64), 1))
        record.trace_flags = TraceFlags(random.getrandbits(8))
        random.choice(loggers).emit(record)

    readables = written.get_finished_logs()
    ours = decoded_logs(list(map(flat_log_of, readables)), RESOURCE)

    assert ours == expected_logs(readables)


def test_random_spans(provider, finished):
    """Spans of random content are the same, with their events and links."""
    for _ in range(100):
        tracer = provider.get_tracer(random_text() or "x", random_text())
        attributes = {
            random_text() or "k": random.choice(SPAN_VALUES) for _ in range(4)
        }
        links = [Link(caller(flags=random.getrandbits(8)), attributes)]
        span = tracer.start_span(
            random_text(),
            kind=random.choice(list(SpanKind)),
            attributes=attributes,
            links=links * random.randrange(3),
            start_time=random.getrandbits(63),
        )
        for _ in range(random.randrange(3)):
            span.add_event(random_text(), attributes, random.getrandbits(64))
        span.set_status(Status(StatusCode.ERROR, random_text()))
        span.end(random.getrandbits(63))

    assert_same_spans(finished)
