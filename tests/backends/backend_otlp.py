"""Spans and log records as OTLP's JSON has them, in the two shapes that tests read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SERVER = 2
CLIENT = 3
ERROR = 2


class Event(NamedTuple):
    name: str
    time_ns: int
    attributes: Mapping[str, object]


class Span(NamedTuple):
    service: str
    trace_id: str
    span_id: str
    parent_span_id: str
    """Empty for a root span."""
    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: int
    attributes: Mapping[str, object]
    events: Sequence[Event]


class Line(NamedTuple):
    service: str
    logger: str
    severity: str
    body: object
    trace_id: str
    span_id: str
    attributes: Mapping[str, object]


def spans_of(data: Mapping[str, object]) -> Iterator[Span]:
    """
    Yield each span of a message with ``resourceSpans``.
    """
    for service, scope in _scopes(data, "resourceSpans", "scopeSpans"):
        for span in scope.get("spans", ()):
            yield Span(
                service=service,
                trace_id=span["traceId"],
                span_id=span["spanId"],
                parent_span_id=span.get("parentSpanId", ""),
                name=span["name"],
                kind=int(span.get("kind", 0)),
                start_ns=int(span["startTimeUnixNano"]),
                end_ns=int(span["endTimeUnixNano"]),
                status=int(span.get("status", {}).get("code", 0)),
                attributes=_attributes(span),
                events=[
                    Event(event["name"], int(event["timeUnixNano"]), _attributes(event))
                    for event in span.get("events", ())
                ],
            )


def lines_of(data: Mapping[str, object]) -> Iterator[Line]:
    """
    Yield each log record of a message with ``resourceLogs``.
    """
    for service, scope in _scopes(data, "resourceLogs", "scopeLogs"):
        for record in scope.get("logRecords", ()):
            yield Line(
                service=service,
                logger=scope.get("scope", {}).get("name", ""),
                severity=record.get("severityText", ""),
                body=_plain(record.get("body", {})),
                trace_id=record.get("traceId", ""),
                span_id=record.get("spanId", ""),
                attributes=_attributes(record),
            )


def _scopes(data, resources, scopes):
    for resource in data.get(resources, ()):
        service = str(_attributes(resource.get("resource", {})).get("service.name", ""))
        for scope in resource.get(scopes, ()):
            yield service, scope


def _attributes(holder) -> dict[str, object]:
    pairs = [
        (item["key"], _plain(item["value"])) for item in holder.get("attributes", ())
    ]
    attributes = dict(pairs)
    assert len(attributes) == len(pairs), f"an attribute stands twice: {pairs}"
    return attributes


def _plain(value) -> object:
    for kind, content in value.items():
        if kind == "intValue":  # JSON has 64-bit integers as strings
            return int(content)
        if kind == "arrayValue":
            return [_plain(item) for item in content.get("values", ())]
        if kind == "kvlistValue":
            return {item["key"]: _plain(item["value"]) for item in content["values"]}
        return content
    return None
