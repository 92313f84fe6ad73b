"""
The fields bound to the lines of a task, and the blocks that it is in.

They don't stand in OpenTelemetry's context but beside it: whoever leaves a span puts
that context back as it was before, and what was bound under the span would be gone.
They name the request that they were bound in, so that no other one's lines take them,
also where a task was started by another request or before all of them.

Nothing in here is ever changed, only replaced: a record keeps what it was stamped with.
"""

from __future__ import annotations

from contextvars import ContextVar
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.context import get_current

from otel_aiohttp_logs.scope.request import request_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from otel_aiohttp_logs.flat import Plain
    from otel_aiohttp_logs.scope.request import RequestScope

MOST_BOUND = 64
"""
Fields that are bound at the same time; ``bound.left_out`` counts those above.

Half of what a span and a log record of the SDK may have.
"""
_LEFT_OUT = "bound.left_out"
_NOTHING: Mapping[str, Plain] = {}


class Layer(NamedTuple):
    """A block that the task is in."""

    block: object
    """Whose it is, told by identity. Held by each record that is logged inside."""
    fields: Mapping[str, Plain]
    since: Mapping[str, Plain]
    """What was bound inside of the block, to stay when it is left."""
    outside: Mapping[str, Plain]
    """All fields as they were when the block was entered."""


class Bound(NamedTuple):
    request: RequestScope | None
    """None for what is bound outside of all requests, as in a worker."""
    base: Mapping[str, Plain]
    layers: tuple[Layer, ...]
    fields: Mapping[str, Plain]
    """All of them put together: what a line says."""


BOUND: ContextVar[Bound | None] = ContextVar("otel_aiohttp_logs.bound", default=None)


def bound_to(context: Context, fields: Mapping[str, Plain]) -> Bound:
    """Return what makes *fields* those of a record that is made in *context*."""
    return Bound(request_in(context), fields, (), fields)


def fields_for(bound: Bound | None, context: Context) -> Mapping[str, Plain]:
    """Return those of *bound* that belong to a line logged in *context*."""
    if bound is None or bound.request is not request_in(context):
        return _NOTHING
    return bound.fields


def fields_now() -> Mapping[str, Plain]:
    """Return the fields that a line logged now would have."""
    return fields_for(BOUND.get(), get_current())


def add(request: RequestScope | None, fields: Mapping[str, Plain]) -> None:
    """Put *fields* on all later lines of this task, and of what it starts later."""
    now = _now(request)
    merged = joined(now.fields, fields)
    if not now.layers:
        BOUND.set(Bound(request, merged, (), merged))
        return
    *outer, last = now.layers
    last = last._replace(since=joined(last.since, fields))
    BOUND.set(now._replace(layers=(*outer, last), fields=merged))


def enter(
    block: object, request: RequestScope | None, fields: Mapping[str, Plain]
) -> None:
    """Put *fields* on the lines of this task until *block* is left."""
    now = _now(request)
    layers = (*now.layers, Layer(block, fields, _NOTHING, now.fields))
    BOUND.set(Bound(request, now.base, layers, joined(now.fields, fields)))


def leave(block: object) -> None:
    """
    Take the fields of *block* away; what was bound inside of it stays.

    Blocks may be left in any order, and where they were never entered: generators
    take turns, and may end in another task than they began in.
    """
    now = BOUND.get()
    if now is None or not now.layers:
        return
    *outer, last = now.layers
    if last.block is block and not last.since:
        BOUND.set(Bound(now.request, now.base, tuple(outer), last.outside))
    elif is_in(now, block):
        BOUND.set(_without(now, block))


def _without(now: Bound, block: object) -> Bound:
    base, kept = now.base, list[Layer]()
    for layer in now.layers:
        if layer.block is not block:
            kept.append(layer)
        elif kept:
            since = joined(kept[-1].since, layer.since)
            kept[-1] = kept[-1]._replace(since=since)
        else:
            base = joined(base, layer.since)
    fields = base
    layers = list[Layer]()
    for layer in kept:
        layers.append(layer._replace(outside=fields))
        fields = joined(joined(fields, layer.fields), layer.since)
    return Bound(now.request, base, tuple(layers), fields)


def is_in(bound: Bound | None, block: object) -> bool:
    return bound is not None and any(layer.block is block for layer in bound.layers)


def joined(one: Mapping[str, Plain], other: Mapping[str, Plain]) -> Mapping[str, Plain]:
    """Return the fields of both; of too many, those that came first."""
    if not other:
        return one
    both = {**one, **other}
    if len(both) > MOST_BOUND:
        before = both.pop(_LEFT_OUT, 0)
        left_out = len(both) - MOST_BOUND + 1
        both = dict(islice(both.items(), MOST_BOUND - 1))
        both[_LEFT_OUT] = left_out + (before if isinstance(before, int) else 0)
    return both


def _now(request: RequestScope | None) -> Bound:
    """Return what is bound in this task, as far as it belongs to *request*."""
    bound = BOUND.get()
    if bound is None or bound.request is not request:
        return Bound(request, _NOTHING, (), _NOTHING)
    return bound
