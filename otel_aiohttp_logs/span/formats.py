"""The formats that a request's context travels in: one function reads, one writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_aiohttp_logs.span import b3, baggage, jaeger, w3c

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from opentelemetry.context import Context

    from otel_aiohttp_logs.span.remote import Headers


class Format(NamedTuple):
    read: Callable[[Headers, Context], Context]
    """Takes a request's headers and what is known already, returns both together."""
    write: Callable[[MutableMapping[str, str], Context], None]
    fields: frozenset[str]
    """The headers that it may write."""
    needs: frozenset[str] | None = None
    """It reads nothing where none of these headers is there; None if that's unknown."""


TRACE_CONTEXT = Format(
    w3c.read_trace,
    w3c.write_trace,
    frozenset({"traceparent", "tracestate"}),
    needs=frozenset({"traceparent"}),
)
BAGGAGE = Format(
    baggage.read_baggage,
    baggage.write_baggage,
    frozenset({baggage.HEADER}),
    needs=frozenset({baggage.HEADER}),
)
_SEVERAL = frozenset({b3.TRACE_ID, b3.SPAN_ID, b3.STATE, b3.FLAGS})
B3_SINGLE = Format(
    b3.read_b3,
    b3.write_single,
    frozenset({b3.SINGLE}),
    needs=_SEVERAL | {b3.SINGLE},
)
B3_SEVERAL = Format(
    b3.read_b3, b3.write_several, _SEVERAL, needs=_SEVERAL | {b3.SINGLE}
)
JAEGER = Format(jaeger.read_jaeger, jaeger.write_jaeger, frozenset({jaeger.TRACE}))
