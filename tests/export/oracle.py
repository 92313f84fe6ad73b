"""What upstream's SDK and encoder make of data, and the same data as flat records."""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.common._log_encoder import (
    encode_logs as upstream_logs,
)
from opentelemetry.exporter.otlp.proto.common.trace_encoder import (
    encode_spans as upstream_spans,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from otel_aiohttp_logs.export.encoder import encode_logs, encode_resource, encode_spans
from otel_aiohttp_logs.flat import FlatEvent, FlatLink, FlatLog, FlatSpan, Scope


def decoded_logs(logs, resource=None) -> ExportLogsServiceRequest:
    encoded = encode_logs(encode_resource(resource or {}), logs)
    return ExportLogsServiceRequest.FromString(encoded)


def decoded_spans(spans, resource=None) -> ExportTraceServiceRequest:
    encoded = encode_spans(encode_resource(resource or {}), spans)
    return ExportTraceServiceRequest.FromString(encoded)


def log_records(message):
    return [
        record
        for group in message.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]


def spans_of(message):
    return [
        span
        for group in message.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def flat_log_of(readable) -> FlatLog:
    """Return the flat record of the SDK's *readable*."""
    record = readable.log_record
    return FlatLog(
        time_ns=record.timestamp,
        severity_number=record.severity_number.value,
        severity_text=record.severity_text,
        logger=readable.instrumentation_scope.name,
        body=record.body,
        attributes=dict(record.attributes),
        trace_id=record.trace_id,
        span_id=record.span_id,
        flags=int(record.trace_flags),
        event_name=record.event_name or "",
    )


def flat_span_of(readable) -> FlatSpan:
    """Return the flat record of the SDK's *readable*."""
    context, parent = readable.context, readable.parent
    scope = readable.instrumentation_scope
    return FlatSpan(
        trace_id=context.trace_id,
        span_id=context.span_id,
        parent_span_id=parent.span_id if parent else 0,
        flags=_flags(context.trace_flags, parent),
        trace_state=context.trace_state.to_header(),
        name=readable.name,
        kind=readable.kind.value,
        start_ns=readable.start_time,
        end_ns=readable.end_time,
        attributes=dict(readable.attributes),
        dropped_attributes=readable.dropped_attributes,
        events=[
            FlatEvent(
                event.timestamp,
                event.name,
                dict(event.attributes),
                event.dropped_attributes,
            )
            for event in readable.events
        ],
        dropped_events=readable.dropped_events,
        links=[
            FlatLink(
                link.context.trace_id,
                link.context.span_id,
                _flags(link.context.trace_flags, link.context),
                link.context.trace_state.to_header(),
                dict(link.attributes),
                link.dropped_attributes,
            )
            for link in readable.links
        ],
        dropped_links=readable.dropped_links,
        status_code=readable.status.status_code.value,
        status_message=readable.status.description or "",
        scope=Scope(scope.name, scope.version or "", scope.schema_url or ""),
    )


def expected_logs(readables) -> ExportLogsServiceRequest:
    return upstream_logs(readables)


def expected_spans(readables) -> ExportTraceServiceRequest:
    """
    Return upstream's request with what it leaves out: the W3C flags, and the
    ``tracestate`` of links.
    """
    message = upstream_spans(readables)
    by_id = {readable.context.span_id: readable for readable in readables}
    for span in spans_of(message):
        readable = by_id[int.from_bytes(span.span_id, "big")]
        span.flags |= readable.context.trace_flags
        for link, ours in zip(span.links, readable.links, strict=True):
            link.flags |= ours.context.trace_flags
            link.trace_state = ours.context.trace_state.to_header()
    return message


def with_status(message: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
    """Return *message* with an empty status where there's none, as upstream has it."""
    for span in spans_of(message):
        span.status.SetInParent()
    return message


def _flags(trace_flags, parent) -> int:
    remote = 0x200 if parent and parent.is_remote else 0
    return int(trace_flags) | 0x100 | remote
