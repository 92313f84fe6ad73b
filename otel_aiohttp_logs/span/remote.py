"""The caller's span in a context, with what W3C's format has no word for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import create_key, get_value, set_value
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

if TYPE_CHECKING:
    from multidict import CIMultiDict, CIMultiDictProxy
    from opentelemetry.context import Context

    Headers = CIMultiDictProxy[str] | CIMultiDict[str]

_DEBUG = create_key("otel-aiohttp-logs-debug")


class Undecided(TraceFlags):
    """
    The caller leaves it to us whether the trace is recorded.

    Reads as sampled: so does the SDK's sampler, which knows no third answer.
    """


SAMPLED = TraceFlags(TraceFlags.SAMPLED)
NOT_SAMPLED = TraceFlags(TraceFlags.DEFAULT)
UNDECIDED = Undecided(TraceFlags.SAMPLED)


def only(headers: Headers, name: str) -> str | None:
    """Return the value of the header; of several, none can be trusted."""
    values = headers.getall(name, None)
    if values is None or len(values) != 1:
        return None
    return values[0].strip(" \t")


def with_caller(
    context: Context, trace_id: int, span_id: int, flags: TraceFlags
) -> Context:
    """Return *context* with the caller's span, as it was if the ids are no ids."""
    parent = SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
    if not parent.is_valid:
        return context
    return set_span_in_context(NonRecordingSpan(parent), context)


def with_decision(context: Context, flags: TraceFlags) -> Context:
    """
    Return *context* with a decision about the trace that begins with us.

    It's a caller without ids: no parent for anybody, but our sampler hears it. A
    caller that is there already has decided, too.
    """
    if get_current_span(context).get_span_context().is_valid:
        return context
    decision = SpanContext(0, 0, is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(decision), context)


def with_debug(context: Context) -> Context:
    """Return *context* with the wish that all record this trace, to be passed on."""
    return set_value(_DEBUG, True, context)


def is_debug(context: Context) -> bool:
    return get_value(_DEBUG, context) is True
