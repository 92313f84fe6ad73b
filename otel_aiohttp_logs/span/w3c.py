"""
W3C Trace Context, level 2, to the letter: https://www.w3.org/TR/trace-context-2/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from otel_aiohttp_logs.span.trace_state import parse_trace_state

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from opentelemetry.context import Context

    from otel_aiohttp_logs.span.remote import Headers

_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(-.*)?"
)
_KNOWN_FLAGS = 0x03  # sampled, and level 2's random


def read_trace(headers: Headers, context: Context) -> Context:
    """
    Return *context* with the caller's span, as it was if none can be trusted.

    Of two ``traceparent`` headers neither can be (section 3.2.1: one).
    """
    values = headers.getall("traceparent", None)
    if values is None or len(values) != 1:
        return context
    parts = _TRACEPARENT.fullmatch(values[0].strip(" \t"))
    # Only a version after ours may say more than the four fields.
    if parts is None or (parts[5] and parts[1] == "00"):
        return context
    parent = SpanContext(
        trace_id=int(parts[2], 16),
        span_id=int(parts[3], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(parts[4], 16) & _KNOWN_FLAGS),
        trace_state=parse_trace_state(headers.getall("tracestate", [])),
    )
    return set_span_in_context(NonRecordingSpan(parent), context)


def write_trace(carrier: MutableMapping[str, str], context: Context) -> None:
    """Write the span of *context*, with the state that it came with."""
    span = get_current_span(context).get_span_context()
    if not span.is_valid:
        return
    flags = span.trace_flags & _KNOWN_FLAGS
    carrier["traceparent"] = f"00-{span.trace_id:032x}-{span.span_id:016x}-{flags:02x}"
    if span.trace_state:
        carrier["tracestate"] = span.trace_state.to_header()
