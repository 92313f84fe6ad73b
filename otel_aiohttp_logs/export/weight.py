"""
What a record weighs in memory: an estimate that costs next to nothing.

It's made at emission, in the application's thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_aiohttp_logs.flat import FlatLog, FlatSpan

# The tuple, the dict, the numbers and the short strings, as sys.getsizeof has them.
LOG_WEIGHT = 700
SPAN_WEIGHT = 1500
ITEM_WEIGHT = 60
_SAMPLE = 64
_NUMBERS = frozenset({int, float, bool})


def weigh_log(log: FlatLog) -> int:
    weight = LOG_WEIGHT + len(log.body)
    for value in log.attributes.values():
        weight += len(value) if type(value) is str else weigh(value)
    return weight


def weigh_span(span: FlatSpan) -> int:
    weight = SPAN_WEIGHT
    for value in span.attributes.values():
        weight += len(value) if type(value) is str else weigh(value)
    for event in span.events:
        weight += SPAN_WEIGHT // 2 + weigh(event.attributes)
    if span.links:
        weight += len(span.links) * SPAN_WEIGHT // 2
    return weight


def weigh(value: object, depth: int = 0) -> int:
    """Return the weight of an attribute's value; of long ones a sample is weighed."""
    if type(value) in _NUMBERS:
        return ITEM_WEIGHT
    if isinstance(value, (str, bytes)):
        return ITEM_WEIGHT + len(value)
    if depth > 2 or not isinstance(value, (list, tuple, Mapping)):
        return ITEM_WEIGHT
    items: Iterable[object] = value.values() if isinstance(value, Mapping) else value
    sample = [weigh(item, depth + 1) for item in islice(items, _SAMPLE)]
    return ITEM_WEIGHT + len(value) * sum(sample) // max(1, len(sample))
