"""
Flat records become OTLP requests.

Of each record makes ``messages`` what it is on the wire, or a compiled twin of that.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from otel_aiohttp_logs._speed import native
from otel_aiohttp_logs.export.messages import group_log, group_span, new_group
from otel_aiohttp_logs.export.values import attributes_encoder
from otel_aiohttp_logs.export.wire import field, varint
from otel_aiohttp_logs.flat import FlatEvent, FlatLink, FlatLog, FlatSpan, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from otel_aiohttp_logs.export.messages import Groups
    from otel_aiohttp_logs.flat import Attributes

R = TypeVar("R")


def encode_resource(attributes: Attributes) -> bytes:
    """Return the encoded ``Resource``, which every request begins with."""
    parts: list[bytes] = []
    attributes_encoder(b"\x0a")(attributes, parts.append)
    return b"".join(parts)


def encode_logs(resource: bytes, logs: Sequence[FlatLog]) -> bytes:
    """Return the ``ExportLogsServiceRequest`` with *logs*, grouped by logger."""
    groups: Groups = {}
    group_logs(logs, groups)
    return request(resource, groups.values())


def encode_spans(resource: bytes, spans: Sequence[FlatSpan]) -> bytes:
    """Return the ``ExportTraceServiceRequest`` with *spans*, grouped by scope."""
    groups: Groups = {}
    group_spans(spans, groups)
    return request(resource, groups.values())


def request(resource: bytes, groups: Iterable[list[bytes]]) -> bytes:
    """Return the request that consists of *groups*, of either signal."""
    return b"".join(request_parts(resource, groups))


def request_parts(resource: bytes, groups: Iterable[list[bytes]]) -> list[bytes]:
    """Return the pieces of that request, in order: joined, they would be copied."""
    parts = [field(b"\x0a", resource)]
    for group in groups:
        parts += b"\x12" + varint(sum(map(len, group))), *group
    return [b"\x0a" + varint(sum(map(len, parts))), *parts]


def each(
    group_one: Callable[[R, Groups], None],
) -> Callable[[Sequence[R], Groups], None]:
    """Return a function that does with records what *group_one* does with one."""

    def group_all(records: Sequence[R], groups: Groups) -> None:
        before = {key: len(group) for key, group in groups.items()}
        for record in records:
            group_one(record, groups)
        for key, group in groups.items():
            # Few large pieces, as the compiled twin makes them.
            start = before.get(key, 0)
            group[start:] = [b"".join(group[start:])]

    return group_all


group_logs: Callable[[Sequence[FlatLog], Groups], None] = each(group_log)
"""Append encoded records to groups, by logger."""
group_spans: Callable[[Sequence[FlatSpan], Groups], None] = each(group_span)
"""Append encoded spans to groups, by scope."""

if native:
    _of_spans = (FlatSpan, FlatEvent, FlatLink, Scope)
    group_logs = partial(native.group_logs, FlatLog, new_group, group_log)
    group_spans = partial(native.group_spans, _of_spans, new_group, group_span)
