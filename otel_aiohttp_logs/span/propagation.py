"""
The caller's trace context, out of the headers of a request.

W3C Trace Context (https://www.w3.org/TR/trace-context-2/) is read here, strictly.
Any other format that ``OTEL_PROPAGATORS`` or the application asks for is read by the
propagators of the API.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opentelemetry import propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

from otel_aiohttp_logs.span.trace_state import parse_trace_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from multidict import CIMultiDictProxy

    Headers = CIMultiDictProxy[str]

_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(-.*)?"
)
_W3C = {"traceparent", "tracestate", "baggage"}
_KNOWN_FLAGS = 0x03  # sampled, and level 2's random


class HeaderGetter(Getter["Headers"]):
    """Lets the API's propagators read aiohttp's headers."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        return carrier.getall(key, None)

    def keys(self, carrier: Headers) -> list[str]:
        return list(carrier.keys())


_getter = HeaderGetter()
_baggage = W3CBaggagePropagator()


def extractor() -> Callable[[Headers], Context]:
    """Return the function that reads what the global propagator would read."""
    fields = propagate.get_global_textmap().fields
    if not fields <= _W3C or "traceparent" not in fields:
        return _extract_by_api
    return _extract_w3c_and_baggage if "baggage" in fields else _extract_w3c


def _extract_by_api(headers: Headers) -> Context:
    return propagate.extract(headers, context=Context(), getter=_getter)


def _extract_w3c_and_baggage(headers: Headers) -> Context:
    context = _extract_w3c(headers)
    if "baggage" in headers:
        return _baggage.extract(headers, context, _getter)
    return context


def _extract_w3c(headers: Headers) -> Context:
    """
    Return a context with the caller's span, or an empty one for a new trace.

    Of two ``traceparent`` headers neither can be trusted (section 3.2.1: one).
    """
    values = headers.getall("traceparent", None)
    if values is None or len(values) != 1:
        return Context()
    parts = _TRACEPARENT.fullmatch(values[0].strip(" \t"))
    # Only a version after ours may say more than the four fields.
    if parts is None or (parts[5] and parts[1] == "00"):
        return Context()
    parent = SpanContext(
        trace_id=int(parts[2], 16),
        span_id=int(parts[3], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(parts[4], 16) & _KNOWN_FLAGS),
        trace_state=parse_trace_state(headers.getall("tracestate", [])),
    )
    return set_span_in_context(NonRecordingSpan(parent), Context())
