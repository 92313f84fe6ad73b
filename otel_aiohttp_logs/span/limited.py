"""
The span of a process that sets limits of its own.

A class by itself, so that those who set none don't pay for the question.
"""

from __future__ import annotations

from typing import Any

from otel_aiohttp_logs.record.twins import plain
from otel_aiohttp_logs.span.limits import Limits, cut
from otel_aiohttp_logs.span.span import RecordingSpan


class _CuttingSpan(RecordingSpan):
    __slots__ = ()

    def set_attribute(self, key: str, value: Any) -> None:
        # Made plain first: the text of an object may be longer than the limit, too.
        super().set_attribute(key, cut(plain(value), self.limits.value_length))


def span_class(limits: Limits) -> type[RecordingSpan]:
    """Return the class of spans that keeps *limits*."""
    if limits == RecordingSpan.limits:
        return RecordingSpan
    base = RecordingSpan if limits.value_length is None else _CuttingSpan
    members = {"__slots__": (), "limits": limits, "most": limits.attributes}
    return type("LimitedSpan", (base,), members)
