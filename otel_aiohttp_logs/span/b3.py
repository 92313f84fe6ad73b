"""
B3 in one header and in several: https://github.com/openzipkin/b3-propagation

Own readers, because the official propagator forgets the debug flag, a decision that
comes without ids, and takes "not decided" for "no" in the format of several headers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.trace import get_current_span

from otel_aiohttp_logs.span.remote import (
    NOT_SAMPLED,
    SAMPLED,
    UNDECIDED,
    is_debug,
    only,
    with_caller,
    with_debug,
    with_decision,
)

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from opentelemetry.context import Context

    from otel_aiohttp_logs.span.remote import Headers

SINGLE = "b3"
TRACE_ID = "x-b3-traceid"
SPAN_ID = "x-b3-spanid"
STATE = "x-b3-sampled"
FLAGS = "x-b3-flags"

_TRACE = "[0-9a-f]{16}(?:[0-9a-f]{16})?"
_SPAN = "[0-9a-f]{16}"
_SINGLE = re.compile(f"({_TRACE})-({_SPAN})(?:-([01d]))?(?:-{_SPAN})?")
_IDS = re.compile(f"({_TRACE})-({_SPAN})")
_STATES = {"": UNDECIDED, "0": NOT_SAMPLED, "1": SAMPLED, "d": SAMPLED}
# How tracers wrote it before there was a specification, which lets one accept them.
_LENIENT_STATES = {"0": "0", "1": "1", "false": "0", "true": "1"}


class _Caller(NamedTuple):
    trace_id: int
    """0, as the span's, for a decision without ids."""
    span_id: int
    state: str
    """``1``, ``0``, ``d`` for debug, empty if the decision is left to us."""


def read_b3(headers: Headers, context: Context) -> Context:
    """
    Return *context* with the caller's span, as it was if none can be trusted.

    Both formats are read, whichever is written; the single header goes first.
    """
    caller = _single(headers) or _several(headers)
    if caller is None:
        return context
    flags = _STATES[caller.state]
    if caller.state == "d":
        context = with_debug(context)
    if caller.trace_id == caller.span_id == 0:
        return with_decision(context, flags)
    return with_caller(context, caller.trace_id, caller.span_id, flags)


def write_single(carrier: MutableMapping[str, str], context: Context) -> None:
    span = get_current_span(context).get_span_context()
    if not span.is_valid:
        return
    state = "d" if is_debug(context) else str(span.trace_flags & 1)
    carrier[SINGLE] = f"{span.trace_id:032x}-{span.span_id:016x}-{state}"


def write_several(carrier: MutableMapping[str, str], context: Context) -> None:
    span = get_current_span(context).get_span_context()
    if not span.is_valid:
        return
    carrier[TRACE_ID] = f"{span.trace_id:032x}"
    carrier[SPAN_ID] = f"{span.span_id:016x}"
    if is_debug(context):
        carrier[FLAGS] = "1"  # says "sampled" as well: not both
    else:
        carrier[STATE] = str(span.trace_flags & 1)


def _single(headers: Headers) -> _Caller | None:
    value = only(headers, SINGLE)
    if value is None:
        return None
    if value and value in _STATES:
        return _Caller(0, 0, value)
    return _caller(_SINGLE.fullmatch(value))


def _several(headers: Headers) -> _Caller | None:
    trace_id, span_id = only(headers, TRACE_ID), only(headers, SPAN_ID)
    state = _LENIENT_STATES.get((only(headers, STATE) or "").lower(), "")
    if only(headers, FLAGS) == "1":
        state = "d"
    if trace_id is None and span_id is None:
        alone = state and TRACE_ID not in headers and SPAN_ID not in headers
        return _Caller(0, 0, state) if alone else None
    caller = _caller(_IDS.fullmatch(f"{trace_id}-{span_id}"))
    return None if caller is None else caller._replace(state=state)


def _caller(parts: re.Match[str] | None) -> _Caller | None:
    if parts is None:
        return None
    trace_id, span_id = int(parts[1], 16), int(parts[2], 16)
    if not trace_id or not span_id:
        return None
    state = parts[3] if parts.re is _SINGLE else ""
    return _Caller(trace_id, span_id, state or "")
