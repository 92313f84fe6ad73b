"""Log records within ``OTEL_LOGRECORD_*``: a step that is there only when asked for."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from otel_aiohttp_logs.span.limits import RecordLimits, cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_aiohttp_logs.flat import FlatLog

DROPPED = "otel.dropped_attributes_count"
"""The specification's name for it where a format has no field of its own."""


def within(
    emit: Callable[[FlatLog], None], limits: RecordLimits
) -> Callable[[FlatLog], None]:
    """
    Return the function that emits within *limits*, *emit* itself if there are none.

    As of spans, the first attributes are kept; how many were left out is one more.
    """
    if limits == RecordLimits():
        return emit
    most, length = limits.attributes, limits.value_length

    def emit_within(log: FlatLog) -> None:
        pairs = islice(log.attributes.items(), most)
        kept = {name: cut(value, length) for name, value in pairs}
        dropped = len(log.attributes) - len(kept)
        if dropped:
            kept[DROPPED] = dropped
        emit(log._replace(attributes=kept))

    return emit_within
