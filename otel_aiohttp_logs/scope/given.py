"""
What the application binds, in a safe form: made once, when it is bound.

A bound field stands on each later line, on the request's event and on its span, so
less fits into one than into a field that is logged once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from otel_aiohttp_logs.record.fields import own_name
from otel_aiohttp_logs.record.safe import unique
from otel_aiohttp_logs.record.text import name_of
from otel_aiohttp_logs.record.twins import plain_within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from otel_aiohttp_logs.flat import Plain

    _Scalar: TypeAlias = str | bool | int | float

MOST_TEXT = 2048
"""Characters of all texts in one value."""
MOST_ITEMS = 100
"""Items of the lists in one value, and keys of its mappings."""
_SCALARS = (str, bool, int, float)
# One for all: ``json.dumps`` makes one each time.
_as_json = json.JSONEncoder(ensure_ascii=False, default=str).encode


def safe_fields(given: Mapping[str, object]) -> dict[str, Plain]:
    """Return *given* under names that hide nothing, with values that are bounded."""
    fields: dict[str, Plain] = {}
    for key, value in given.items():
        safe = _safe(value)
        name = name_of(own_name(name_of(key), safe))
        fields[unique(name, fields)] = safe
    return fields


def _safe(value: object) -> Plain:
    return plain_within(value, MOST_TEXT, MOST_ITEMS, MOST_ITEMS)


def set_attributes(span: Span, fields: Mapping[str, Plain]) -> None:
    """Put *fields* on *span*, unless it has ended."""
    if span.is_recording():
        for name, value in fields.items():
            span.set_attribute(name, attribute(value))


def attribute(value: Plain) -> _Scalar | list[_Scalar]:
    """
    Return *value* as each SDK takes it for an attribute, others as JSON.

    A list is one as long as all of its items are of the same kind.
    """
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, list) and value:
        kind = type(value[0])
        if kind in _SCALARS and all(type(item) is kind for item in value):
            return value
    if value is None:
        return "null"
    return _as_json(value)
