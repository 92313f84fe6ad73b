"""
Read OTLP: what the demo needs of it, with nothing installed for it.

The field numbers are those of opentelemetry-proto's ``trace.proto``, ``logs.proto``
and ``common.proto``. Whatever is no such message raises ``ValueError``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_aiohttp_logs.demo.wire import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from otel_aiohttp_logs.flat import Plain

MOST_NESTED = 32
FAILED = 2


@dataclass(frozen=True)
class Span:
    trace_id: str
    span_id: str
    parent_id: str
    """Empty for a root span."""
    service: str
    name: str
    kind: int
    """As OTLP counts: 2 is a server's span, 3 a client's."""
    start_ns: int
    end_ns: int
    failed: bool
    attributes: Mapping[str, Plain]


@dataclass(frozen=True)
class Line:
    trace_id: str
    """Empty, as *span_id*, for a line that belongs to no request."""
    span_id: str
    service: str
    logger: str
    time_ns: int
    severity: str
    body: str
    attributes: Mapping[str, Plain]


def read_spans(data: bytes) -> list[Span]:
    """Return the spans of an ``ExportTraceServiceRequest``."""
    return [
        Span(
            trace_id=span.raw(1).hex(),
            span_id=span.raw(2).hex(),
            parent_id=span.raw(4).hex(),
            service=service,
            name=span.text(5),
            kind=span.number(6),
            start_ns=span.number(7),
            end_ns=span.number(8),
            failed=span.message(15).number(3) == FAILED,
            attributes=_attributes(span, 9),
        )
        for service, _, span in _records(data)
    ]


def read_lines(data: bytes) -> list[Line]:
    """Return the log records of an ``ExportLogsServiceRequest``."""
    return [
        Line(
            trace_id=record.raw(9).hex(),
            span_id=record.raw(10).hex(),
            service=service,
            logger=scope,
            time_ns=record.number(1) or record.number(11),
            severity=record.text(3),
            body=str(_value(record.message(5))),
            attributes=_attributes(record, 6),
        )
        for service, scope, record in _records(data)
    ]


def _records(data: bytes) -> Iterator[tuple[str, str, Message]]:
    # Both requests have one shape: resources, scopes in them, records in those.
    for of_resource in Message(data).messages(1):
        resource = _attributes(of_resource.message(1), 1)
        service = str(resource.get("service.name", ""))
        for of_scope in of_resource.messages(2):
            scope = of_scope.message(1).text(1)
            for record in of_scope.messages(2):
                yield service, scope, record


def _attributes(message: Message, field: int, depth: int = 0) -> dict[str, Plain]:
    pairs = message.messages(field)
    return {pair.text(1): _value(pair.message(2), depth) for pair in pairs}


def _value(value: Message, depth: int = 0) -> Plain:
    if depth > MOST_NESTED:
        msg = f"values nested more than {MOST_NESTED} deep"
        raise ValueError(msg)
    readers: dict[int, Callable[[], Plain]] = {
        1: lambda: value.text(1),
        2: lambda: bool(value.number(2)),
        3: lambda: _signed(value.number(3)),
        4: lambda: _double(value.number(4)),
        5: lambda: [_value(i, depth + 1) for i in value.message(5).messages(1)],
        6: lambda: _attributes(value.message(6), 1, depth + 1),
        7: lambda: value.raw(7),
    }
    return next((read() for field, read in readers.items() if field in value), None)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _double(bits: int) -> float:
    (number,) = struct.unpack("<d", bits.to_bytes(8, "little"))
    return float(number)
