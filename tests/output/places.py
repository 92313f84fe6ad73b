"""Where a record may be made, and what both of our ways make of it there."""

from __future__ import annotations

import contextvars
import json

from export.twins import COMPILED, PYTHON
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)
from output.twins import Handlers, typed

from otel_aiohttp_logs.scope import fields as bound_fields
from otel_aiohttp_logs.scope.request import REQUEST, RequestScope


def span(number: int) -> NonRecordingSpan:
    flags = TraceFlags(number % 2)
    return NonRecordingSpan(SpanContext(number << 64 | 5, number, False, flags))


def go_to(place: str, fields) -> None:
    """Make the current context what *place* says; in a copy of the caller's."""
    if place == "nowhere":
        return
    if place == "sending":
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        return
    if place == "foreign":
        attach(set_span_in_context(span(9)))
        return
    scope = RequestScope("01890000-aaaa-7bbb-8ccc-0123456789ab", span(3))
    attach(set_span_in_context(scope.span, set_value(REQUEST, scope)))
    if place == "child":
        attach(set_span_in_context(span(4)))
    if place == "ended":
        scope.ended = 5.0
    if place == "bound":
        bound_fields.add(scope, fields)


def compare(place, make, fields, bound) -> None:
    """Hold what is compiled against Python, for the same record."""

    def inside() -> None:
        go_to(place, bound)
        handlers = Handlers()
        with handlers.attached():
            for first, second in (
                (handlers.compiled, handlers.python),
                (handlers.python, handlers.compiled),
            ):
                record = make()
                vars(record).update(fields)
                one, other = first(record), second(record)
                assert one[0] == other[0]
                assert typed(one[1]) == typed(other[1])
                assert one[2] == other[2]
                if one[2]:
                    json.loads(one[2])
                assert COMPILED.logs(handlers.queued(record)) == PYTHON.logs(other[1])

    contextvars.copy_context().run(inside)
