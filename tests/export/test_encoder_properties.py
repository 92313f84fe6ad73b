"""Whatever a record holds, both of our encoders send what the SDK's exporter sends."""

from __future__ import annotations

from export.oracle import expected_logs, expected_spans, flat_log_of, flat_span_of
from export.twins import COMPILED, PYTHON, each_encoder, needs_compiled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

RESOURCE = {"service.name": "shop", "process.pid": 4711}
often = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

texts = st.text(max_size=40) | st.integers(120, 17_000).map(lambda size: "ä" * size)
numbers_64 = st.integers(0, 2**64 - 1)
flags = st.integers(0, 255).map(TraceFlags)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=200)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5)
    ),
    max_leaves=12,
)
# Keys and values that come again, as those of a service do.
attributes = st.dictionaries(
    st.sampled_from(("item", "größe", "k" * 130)) | texts,
    st.sampled_from(("tea", 1, 1.0, True, "", -1)) | values,
    max_size=6,
)
scopes = st.builds(
    InstrumentationScope, st.sampled_from(("a", "b")) | texts, texts, texts
)


@st.composite
def log_records(draw):
    record = LogRecord(
        timestamp=draw(numbers_64),
        severity_number=draw(st.sampled_from(list(SeverityNumber))),
        severity_text=draw(texts),
        body=draw(texts),
        attributes=draw(attributes),
        event_name=draw(st.none() | texts),
    )
    record.observed_timestamp = record.timestamp
    record.trace_id = draw(st.just(0) | st.integers(0, 2**128 - 1))
    record.span_id = draw(st.just(0) | numbers_64)
    record.trace_flags = draw(flags)
    # A logger is all that a line of logging has of a scope.
    scope = InstrumentationScope(draw(st.sampled_from(("a", "b")) | texts))
    return ReadableLogRecord(record, Resource(RESOURCE), scope)


contexts = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.booleans(),
    flags,
    st.sampled_from((TraceState(), TraceState([("a", "1"), ("b", "2")]))),
)
events = st.builds(Event, texts, attributes, numbers_64)
links = st.builds(Link, contexts, attributes)
statuses = st.sampled_from(StatusCode).flatmap(
    lambda code: st.builds(
        Status, st.just(code), texts if code is StatusCode.ERROR else st.none()
    )
)
readable_spans = st.builds(
    ReadableSpan,
    name=texts,
    context=contexts,
    parent=st.none() | contexts,
    resource=st.just(Resource(RESOURCE)),
    attributes=attributes,
    events=st.lists(events, max_size=3),
    links=st.lists(links, max_size=3),
    kind=st.sampled_from(SpanKind),
    status=statuses,
    start_time=numbers_64,
    end_time=numbers_64,
    instrumentation_scope=scopes,
)


@each_encoder
@given(records=st.lists(log_records(), min_size=1, max_size=8))
@often
def test_logs(encode, records):
    """Log records, decoded, are what the SDK's exporter makes of the same ones."""
    ours = encode.logs(list(map(flat_log_of, records)), RESOURCE)

    assert ExportLogsServiceRequest.FromString(ours) == expected_logs(records)


@each_encoder
@given(spans=st.lists(readable_spans, min_size=1, max_size=4))
@often
def test_spans(encode, spans):
    """Spans, decoded, are what the SDK's exporter makes of the same ones."""
    unique = list({span.context.span_id: span for span in spans}.values())
    ours = ExportTraceServiceRequest.FromString(
        encode.spans(list(map(flat_span_of, unique)), RESOURCE)
    )
    expected = expected_spans(unique)

    # Upstream writes an empty status, and we write none.
    for group in expected.resource_spans[0].scope_spans:
        for span in group.spans:
            if span.status == type(span.status)():
                span.ClearField("status")
    assert ours == expected


@needs_compiled
@given(records=st.lists(log_records(), min_size=1, max_size=8))
@often
def test_logs_to_the_byte(records):
    """The compiled encoder writes the same bytes as the one in Python."""
    logs = list(map(flat_log_of, records))

    assert COMPILED.logs(logs) == PYTHON.logs(logs)


@needs_compiled
@given(spans=st.lists(readable_spans, min_size=1, max_size=4))
@often
def test_spans_to_the_byte(spans):
    """So it does with spans."""
    flat = list(map(flat_span_of, spans))

    assert COMPILED.spans(flat) == PYTHON.spans(flat)
