"""
One flat record becomes OTLP's message, in plain Python.

The ``protobuf`` package isn't needed at run time, and building its messages costs
more than writing the bytes. Whatever comes again (attributes, names, scopes,
severities) is written once and remembered. Field numbers are those of
https://github.com/open-telemetry/opentelemetry-proto.

What is written here is the reference; ``_speed/`` has compiled twins.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from otel_aiohttp_logs.export.harmless import harmless_log, harmless_span
from otel_aiohttp_logs.export.values import MAX_CACHED_TEXT, attributes_encoder
from otel_aiohttp_logs.export.wire import field, utf8, varint

if TYPE_CHECKING:
    from otel_aiohttp_logs.flat import FlatEvent, FlatLink, FlatLog, FlatSpan, Scope

Groups: TypeAlias = "dict[str | Scope, list[bytes]]"
"""Encoded records by logger or scope, which each group begins with."""

_log_attributes = attributes_encoder(b"\x32")
_span_attributes = attributes_encoder(b"\x4a")
_event_attributes = attributes_encoder(b"\x1a")
_link_attributes = attributes_encoder(b"\x22")

_pack_log_times = struct.Struct("<BQBQ").pack
_pack_span_times = struct.Struct("<BQBQ").pack
_pack_time = struct.Struct("<BQ").pack
_pack_flags = struct.Struct("<I").pack


def group_log(log: FlatLog, groups: Groups) -> None:
    """
    Append the encoded *log* to its group, by logger.

    One that cannot be encoded goes out in a harmless form, see ``harmless_log``.
    """
    try:
        encoded = _log(log)
        group = groups.get(log.logger) or new_group(groups, log.logger)
    except Exception:  # noqa: BLE001 - whatever is wrong: not with the others
        safe = harmless_log(log)
        encoded = _log(safe)
        group = groups.get(safe.logger) or new_group(groups, safe.logger)
    group += b"\x12", varint(len(encoded)), encoded


def group_span(span: FlatSpan, groups: Groups) -> None:
    """Append the encoded *span* to its group, by scope, as ``group_log`` does."""
    try:
        encoded = _span(span)
        group = groups.get(span.scope) or new_group(groups, span.scope)
    except Exception:  # noqa: BLE001 - whatever is wrong: not with the others
        safe = harmless_span(span)
        encoded = _span(safe)
        group = groups.get(safe.scope) or new_group(groups, safe.scope)
    group += b"\x12", varint(len(encoded)), encoded


def new_group(groups: Groups, scope: str | Scope) -> list[bytes]:
    """Return the group of a logger or scope that has none yet."""
    group = groups[scope] = [_scope(scope)]
    return group


@lru_cache(maxsize=256)
def _scope(scope: str | Scope) -> bytes:
    """Return how a group begins: with its scope, and the URL of its schema."""
    if isinstance(scope, str):
        return field(b"\x0a", field(b"\x0a", utf8(scope)))
    name, version, schema_url = map(utf8, scope)
    head = field(b"\x0a", field(b"\x0a", name) + field(b"\x12", version))
    return head + field(b"\x1a", schema_url) if schema_url else head


def _name(tag: bytes, text: str) -> bytes:
    return _short(tag, text) if len(text) <= MAX_CACHED_TEXT else field(tag, utf8(text))


@lru_cache(maxsize=1024)
def _short(tag: bytes, text: str) -> bytes:
    return field(tag, utf8(text))


@lru_cache(maxsize=256)
def _severity(number: int, text: str) -> bytes:
    return b"\x10" + varint(number) + field(b"\x1a", utf8(text))


@lru_cache(maxsize=256)
def _flags(tag: bytes, flags: int) -> bytes:
    return tag + _pack_flags(flags) if flags else b""


def _log(log: FlatLog) -> bytes:
    time_ns, number, severity, _, text, attributes = log[:6]
    trace_id, span_id, flags, event_name = log[6:]
    body = field(b"\x0a", utf8(text))
    parts = [
        _pack_log_times(0x09, time_ns, 0x59, time_ns),
        _severity(number, severity),
        b"\x2a",
        varint(len(body)),
        body,
        _flags(b"\x45", flags),
    ]
    if trace_id:
        parts += b"\x4a\x10", trace_id.to_bytes(16, "big")
    if span_id:
        parts += b"\x52\x08", span_id.to_bytes(8, "big")
    if attributes:
        _log_attributes(attributes, parts.append)
    if event_name:
        parts.append(_name(b"\x62", event_name))
    return b"".join(parts)


def _span(span: FlatSpan) -> bytes:
    parts = [
        b"\x0a\x10",
        span.trace_id.to_bytes(16, "big"),
        b"\x12\x08",
        span.span_id.to_bytes(8, "big"),
        _name(b"\x2a", span.name),
        b"\x30",
        varint(span.kind + 1),
        _pack_span_times(0x39, span.start_ns, 0x41, span.end_ns),
        _flags(b"\x85\x01", span.flags),
    ]
    if span.parent_span_id:
        parts += b"\x22\x08", span.parent_span_id.to_bytes(8, "big")
    if span.trace_state:
        parts.append(field(b"\x1a", utf8(span.trace_state)))
    if span.attributes:
        _span_attributes(span.attributes, parts.append)
    if span.dropped_attributes:
        parts += b"\x50", varint(span.dropped_attributes)
    for event in span.events:
        parts.append(_event(event))
    if span.dropped_events:
        parts += b"\x60", varint(span.dropped_events)
    for link in span.links:
        parts.append(_link(link))
    if span.dropped_links:
        parts += b"\x70", varint(span.dropped_links)
    if span.status_code or span.status_message:
        message = field(b"\x12", utf8(span.status_message))
        parts.append(field(b"\x7a", message + b"\x18" + varint(span.status_code)))
    return b"".join(parts)


def _event(event: FlatEvent) -> bytes:
    time_ns, name, attributes, dropped = event
    parts = [_pack_time(0x09, time_ns), _name(b"\x12", name)]
    if attributes:
        _event_attributes(attributes, parts.append)
    if dropped:
        parts += b"\x20", varint(dropped)
    return field(b"\x5a", b"".join(parts))


def _link(link: FlatLink) -> bytes:
    trace_id, span_id, flags, trace_state, attributes, dropped = link
    parts = [
        b"\x0a\x10",
        trace_id.to_bytes(16, "big"),
        b"\x12\x08",
        span_id.to_bytes(8, "big"),
        _flags(b"\x35", flags),
    ]
    if trace_state:
        parts.append(field(b"\x1a", utf8(trace_state)))
    if attributes:
        _link_attributes(attributes, parts.append)
    if dropped:
        parts += b"\x28", varint(dropped)
    return field(b"\x6a", b"".join(parts))
