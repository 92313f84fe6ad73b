"""
The standard samplers, as functions: is this new span to be recorded?

https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from opentelemetry.trace import SpanContext

from otel_aiohttp_logs.span.remote import Undecided

Sampler: TypeAlias = Callable[[SpanContext | None, int], bool]
"""
Takes the parent and the trace id. The parent is None for a root, or is no valid one if
all that the caller said is what it wants to be recorded.
"""


def always_on(_: SpanContext | None, _trace_id: int) -> bool:
    return True


def always_off(_: SpanContext | None, _trace_id: int) -> bool:
    return False


def _parent_based(root: Sampler) -> Sampler:
    def sampled_like_parent(parent: SpanContext | None, trace_id: int) -> bool:
        if parent is None or type(parent.trace_flags) is Undecided:
            return root(None, trace_id)
        return bool(parent.trace_flags & 1)

    return sampled_like_parent


parentbased_always_on = _parent_based(always_on)
parentbased_always_off = _parent_based(always_off)

OF_ROOTS: dict[Sampler, bool] = {
    always_on: True,
    always_off: False,
    parentbased_always_on: True,
    parentbased_always_off: False,
}
"""What those say of each span without a parent: they need not be asked."""


def sampler(name: str, ratio: float) -> Sampler:
    """Return the sampler that ``OTEL_TRACES_SAMPLER`` calls *name*."""
    if name in _WITHOUT_RATIO:
        return _WITHOUT_RATIO[name]
    root = _by_ratio(ratio)
    return _parent_based(root) if name.startswith("parentbased_") else root


def _by_ratio(ratio: float) -> Sampler:
    # The same bound on the same bits as upstream's sampler: services that take part
    # in one trace, some with theirs and some with ours, decide alike.
    bound = round(ratio * (1 << 64))

    def sampled_by_ratio(_: SpanContext | None, trace_id: int) -> bool:
        return trace_id & 0xFFFF_FFFF_FFFF_FFFF < bound

    return sampled_by_ratio


_WITHOUT_RATIO: dict[str, Sampler] = {
    "always_on": always_on,
    "always_off": always_off,
    "parentbased_always_on": parentbased_always_on,
    "parentbased_always_off": parentbased_always_off,
}
