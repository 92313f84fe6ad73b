"""
The safe form of a record that could not be encoded as it is.

Records come from us, so this is the last net: a field of a wrong type or range
becomes an empty one, and everything else of the record still arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_aiohttp_logs.export.values import any_value, key_text
from otel_aiohttp_logs.flat import FlatEvent, FlatLink, FlatLog, FlatSpan, Scope

if TYPE_CHECKING:
    from otel_aiohttp_logs.flat import Plain


def harmless_log(log: object) -> FlatLog:
    """Return what can be encoded of *log*, which may be anything."""
    return FlatLog(
        time_ns=_number(log, "time_ns", 64),
        severity_number=_number(log, "severity_number", 5),
        severity_text=_text(log, "severity_text"),
        logger=_text(log, "logger"),
        body=_text(log, "body"),
        attributes=_attributes(log),
        trace_id=_number(log, "trace_id", 128),
        span_id=_number(log, "span_id", 64),
        flags=_number(log, "flags", 32),
        event_name=_text(log, "event_name"),
    )


def harmless_span(span: object) -> FlatSpan:
    """Return what can be encoded of *span*, which may be anything."""
    return FlatSpan(
        trace_id=_number(span, "trace_id", 128),
        span_id=_number(span, "span_id", 64),
        parent_span_id=_number(span, "parent_span_id", 64),
        flags=_number(span, "flags", 32),
        trace_state=_text(span, "trace_state"),
        name=_text(span, "name"),
        kind=_number(span, "kind", 3),
        start_ns=_number(span, "start_ns", 64),
        end_ns=_number(span, "end_ns", 64),
        attributes=_attributes(span),
        dropped_attributes=_number(span, "dropped_attributes", 32),
        events=[_event(event) for event in _several(span, "events")],
        dropped_events=_number(span, "dropped_events", 32),
        links=[_link(link) for link in _several(span, "links")],
        dropped_links=_number(span, "dropped_links", 32),
        status_code=_number(span, "status_code", 2),
        status_message=_text(span, "status_message"),
        scope=_scope(span),
    )


def _event(event: object) -> FlatEvent:
    return FlatEvent(
        time_ns=_number(event, "time_ns", 64),
        name=_text(event, "name"),
        attributes=_attributes(event),
        dropped_attributes=_number(event, "dropped_attributes", 32),
    )


def _link(link: object) -> FlatLink:
    return FlatLink(
        trace_id=_number(link, "trace_id", 128),
        span_id=_number(link, "span_id", 64),
        flags=_number(link, "flags", 32),
        trace_state=_text(link, "trace_state"),
        attributes=_attributes(link),
        dropped_attributes=_number(link, "dropped_attributes", 32),
    )


def _scope(span: object) -> Scope:
    scope = getattr(span, "scope", None)
    return Scope(
        _text(scope, "name"), _text(scope, "version"), _text(scope, "schema_url")
    )


def _number(record: object, name: str, bits: int) -> int:
    value = getattr(record, name, None)
    return value if type(value) is int and 0 <= value < 1 << bits else 0


def _text(record: object, name: str) -> str:
    value = getattr(record, name, None)
    if isinstance(value, str):
        return str.__str__(value)
    return "" if value is None else f"<{type(value).__qualname__}>"


def _several(record: object, name: str) -> list[object]:
    value = getattr(record, name, None)
    return list(value) if isinstance(value, (list, tuple)) else []


def _attributes(record: object) -> dict[str, Plain]:
    attributes = getattr(record, "attributes", None)
    if not isinstance(attributes, Mapping):
        return {}
    safe: dict[str, Plain] = {}
    try:
        for key, value in attributes.items():
            safe[key_text(key)] = _safe(value)
    except Exception as error:  # noqa: BLE001 - a mapping of the application's own
        safe["attributes"] = f"<{type(error).__qualname__}>"
    return safe


def _safe(value: Plain) -> Plain:
    try:
        any_value(value)
    except Exception as error:  # noqa: BLE001 - said in its place
        return f"<{type(value).__qualname__}: {type(error).__qualname__}>"
    return value
