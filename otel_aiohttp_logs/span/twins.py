"""The compiled twins of a span's beginning and end, told what they work with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, SpanKind

from otel_aiohttp_logs.flat import FlatEvent, FlatLink, Scope
from otel_aiohttp_logs.record.twins import native
from otel_aiohttp_logs.span.span import NO_STATE, NONE_DROPPED, UNSET, RecordingSpan

if TYPE_CHECKING:
    from collections.abc import Callable

new_span: Callable[..., RecordingSpan] = native.new_span if native else RecordingSpan
"""Return a span, as ``RecordingSpan`` does."""

if native:
    native.know_spans(
        *(RecordingSpan, UNSET, NONE_DROPPED, (FlatEvent, FlatLink, Scope)),
        *(SpanContext, (NO_STATE, INVALID_SPAN_CONTEXT.trace_state), tuple(SpanKind)),
    )
