"""How spans point at each other: contexts, links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.trace import SpanContext, TraceFlags

from otel_aiohttp_logs.flat import FlatLink
from otel_aiohttp_logs.span.limits import Limits, clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import TraceState

# OTLP's Span.flags: whether it is known that a context is another process's, and is.
_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200


class _Ours(Protocol):
    trace_id: int
    span_id: int
    flags: int
    trace_state: TraceState


def own_context(span: _Ours) -> SpanContext:
    """Return the context of a span of ours."""
    return SpanContext(
        span.trace_id,
        span.span_id,
        is_remote=False,
        trace_flags=TraceFlags(span.flags),
        trace_state=span.trace_state,
    )


def wire_flags(flags: int, context: SpanContext | None) -> int:
    """Return OTLP's flags of a link to *context*, or of a span whose parent it is."""
    remote = context is not None and context.is_remote
    return flags | _HAS_IS_REMOTE | (_IS_REMOTE if remote else 0)


def flat_link(
    context: SpanContext, attributes: Mapping[str, Any] | None, limits: Limits
) -> FlatLink | None:
    """Return the link, None if it would say nothing."""
    if not (context.is_valid or attributes or context.trace_state):
        return None
    return FlatLink(
        context.trace_id,
        context.span_id,
        wire_flags(context.trace_flags, context),
        context.trace_state.to_header(),
        *clean(attributes, limits.link_attributes, limits.inner_value_length),
    )
