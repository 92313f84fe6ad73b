"""
Jaeger's headers: https://www.jaegertracing.io/docs/1.76/architecture/sdk/#propagation-format

Own readers, because the official propagator marks each sampled trace as a debug one,
finds baggage only under names in lower case, and takes signs and spaces for digits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from opentelemetry import baggage
from opentelemetry.trace import get_current_span

from otel_aiohttp_logs.record.text import text_of
from otel_aiohttp_logs.span.baggage import MOST_BYTES, within_limits
from otel_aiohttp_logs.span.remote import (
    NOT_SAMPLED,
    SAMPLED,
    is_debug,
    only,
    with_caller,
    with_debug,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from opentelemetry.context import Context

    from otel_aiohttp_logs.span.baggage import Entry
    from otel_aiohttp_logs.span.remote import Headers

TRACE = "uber-trace-id"
PREFIX = "uberctx-"
# What people add by hand, to a request that no tracer sends.
BY_HAND = "jaeger-baggage"

# Each is a header, and the next service's server takes few of them: aiohttp's 128.
MOST_ENTRIES = 64

_HEX = "[0-9a-fA-F]"
_TRACE = re.compile(f"({_HEX}{{1,32}}):({_HEX}{{1,16}}):{_HEX}{{1,16}}:({_HEX}{{1,2}})")
_SAMPLED, _DEBUG = 0x01, 0x02
_NAME_SIGNS = "!#$&'*+^`|"  # of a header's name, beside those that are never quoted


def read_jaeger(headers: Headers, context: Context) -> Context:
    """Return *context* with the caller's span and baggage, where they can be read."""
    for name, octets, _ in within_limits(_entries(headers), MOST_ENTRIES):
        context = baggage.set_baggage(name, unquote(octets), context)
    text = only(headers, TRACE)
    # Some clients encode the colons.
    parts = None if text is None else _TRACE.fullmatch(unquote(text))
    if parts is None:
        return context
    flags = int(parts[3], 16)
    sampled = SAMPLED if flags & (_SAMPLED | _DEBUG) else NOT_SAMPLED
    found = with_caller(context, int(parts[1], 16), int(parts[2], 16), sampled)
    return with_debug(found) if flags & _DEBUG and found is not context else found


def write_jaeger(carrier: MutableMapping[str, str], context: Context) -> None:
    """Write the span and the baggage of *context*; the parent is deprecated, so 0."""
    span = get_current_span(context).get_span_context()
    if span.is_valid:
        flags = span.trace_flags & _SAMPLED
        if is_debug(context):
            flags |= _SAMPLED | _DEBUG
        carrier[TRACE] = f"{span.trace_id:032x}:{span.span_id:016x}:0:{flags:x}"
    entries = (
        (
            quote(text_of(name, MOST_BYTES), safe=_NAME_SIGNS),
            quote(text_of(value, MOST_BYTES)),
            PREFIX,
        )
        for name, value in baggage.get_all(context).items()
    )
    for name, octets, prefix in within_limits(entries, MOST_ENTRIES):
        carrier[prefix + name] = octets


def _entries(headers: Headers) -> Iterator[Entry]:
    for value in headers.getall(BY_HAND, ()):
        for pair in value.split(","):
            name, equals, octets = pair.partition("=")
            if equals and name.strip():
                yield name.strip(), octets.strip(), ""
    for name, octets in headers.items():
        # Headers' names have no case: Jaeger asks for keys in lower case.
        key = name.lower()
        if key.startswith(PREFIX) and key != PREFIX:
            yield key[len(PREFIX) :], octets.strip(), ""
