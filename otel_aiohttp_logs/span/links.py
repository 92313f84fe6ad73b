"""A link to another span, as it is exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_aiohttp_logs.flat import FlatLink
from otel_aiohttp_logs.span.limits import Limits, clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import SpanContext

# OTLP's Span.flags: whether it is known that a context is another process's, and is.
HAS_IS_REMOTE = 0x100
IS_REMOTE = 0x200


def flat_link(
    context: SpanContext, attributes: Mapping[str, Any] | None, limits: Limits
) -> FlatLink | None:
    """Return the link, None if it would say nothing."""
    if not (context.is_valid or attributes or context.trace_state):
        return None
    flags = context.trace_flags | HAS_IS_REMOTE
    return FlatLink(
        context.trace_id,
        context.span_id,
        flags | IS_REMOTE if context.is_remote else flags,
        context.trace_state.to_header(),
        *clean(attributes, limits.link_attributes, limits.inner_value_length),
    )
