"""
What applications do with a tracer, as functions that take any.

Each is run on the SDK's tracer and on ours. Times are given where they matter.
"""

from __future__ import annotations

from opentelemetry.trace import SpanContext, TraceFlags, TraceState

_STATE = TraceState([("a", "1")])
OTHER = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1), trace_state=_STATE)


def into(calls):
    """Return the decorator that puts functions into the list *calls*."""

    def call(function):
        calls.append(function)
        return function

    return call
