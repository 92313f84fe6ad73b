"""
How much one span carries, and one log record.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_aiohttp_logs.record.text import name_of
from otel_aiohttp_logs.record.twins import plain

if TYPE_CHECKING:
    from otel_aiohttp_logs.flat import Plain


class Limits(NamedTuple):
    """The specification's defaults; a length is in characters, None is no limit."""

    attributes: int = 128
    events: int = 128
    links: int = 128
    event_attributes: int = 128
    link_attributes: int = 128
    value_length: int | None = None
    """Of a span's own attributes."""
    inner_value_length: int | None = None
    """Of those of its events and links."""


class RecordLimits(NamedTuple):
    """Of what a log record carries beside its text; None is no limit of ours."""

    attributes: int | None = None
    value_length: int | None = None


def clean(
    attributes: Mapping[str, Any] | None, most: int, length: int | None
) -> tuple[dict[str, Plain], int]:
    """Return *attributes* as plain values, and how many the limit left out."""
    if not attributes:
        return {}, 0
    kept: dict[str, Plain] = {}
    for key, value in attributes.items():
        if len(kept) >= most:
            break
        name = key if type(key) is str else name_of(key)
        if name:
            kept[name] = cut(plain(value), length)
    return kept, len(attributes) - len(kept)


def cut(value: Plain, length: int | None) -> Plain:
    """Return the plain *value* with no text in it longer than *length*."""
    if length is None:
        return value
    if isinstance(value, (str, bytes)):
        return value[:length]
    if isinstance(value, Mapping):
        return {key: cut(inner, length) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [cut(inner, length) for inner in value]
    return value
