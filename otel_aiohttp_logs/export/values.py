"""Plain values and attributes become OTLP's ``AnyValue`` and ``KeyValue``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, TypeAlias

from otel_aiohttp_logs.export.wire import MASK_64, field, utf8, varint

if TYPE_CHECKING:
    from otel_aiohttp_logs.flat import Attributes

MAX_DEPTH = 16
"""Receivers stop at 100 nested messages, and one level here is three of them."""
MAX_ITEMS = 10_000
"""In one attribute, all levels together: a list that contains itself ends, too."""
CUT = "…"

# Keys are few, and so are most of their values. Where they aren't, the first ones
# stay, and the others are encoded each time: nothing is ever thrown out, so that
# values which never come again cannot drive out those that do.
MAX_KEYS = 256
MAX_VALUES = 64
MAX_CACHED_TEXT = 128

_pack_double = struct.Struct("<d").pack
Entry: TypeAlias = "tuple[bytes, dict[str | int, bytes]]"
_EncodeAttributes: TypeAlias = "Callable[[Attributes, Callable[[bytes], None]], None]"


def attributes_encoder(tag: bytes) -> _EncodeAttributes:
    """
    Return a function that appends each attribute as a field with *tag*.

    It remembers whole fields, so it belongs to one kind of message and one thread.
    """
    known: dict[str, Entry] = {}

    def learn(key: str) -> Entry:
        entry: Entry = field(b"\x0a", utf8(key_text(key))), {}
        if len(known) < MAX_KEYS and len(key) <= MAX_CACHED_TEXT:
            known[key] = entry
        return entry

    def encode(attributes: Attributes, append: Callable[[bytes], None]) -> None:
        for key, value in attributes.items():
            start, values = known.get(key) or learn(key)
            # bool and float are left out: True and 1.0 are found under 1.
            if type(value) is str or type(value) is int:
                encoded = values.get(value)
                if encoded is None:
                    encoded = field(tag, start + field(b"\x12", any_value(value)))
                    if len(values) < MAX_VALUES and len(encoded) <= MAX_CACHED_TEXT:
                        values[value] = encoded
                append(encoded)
            else:
                append(field(tag, start + field(b"\x12", any_value(value))))

    return encode


def any_value(value: object) -> bytes:
    """
    Return *value* as an ``AnyValue``, in a safe form if it has none of its own.

    No code of the application's is called for that: it would run in our thread.
    """
    encode = _EXACT.get(type(value))
    return encode(value) if encode else _nested(value, 0, [MAX_ITEMS])


def _text(value: str) -> bytes:
    return field(b"\x0a", utf8(value))


def _int(value: int) -> bytes:
    if -(1 << 63) <= value < 1 << 63:
        return b"\x18" + varint(value & MASK_64)
    # Python refuses to write very long numbers in decimal digits.
    return _text(str(value) if value.bit_length() < 10_000 else hex(value))


def _bytes(value: bytes) -> bytes:
    return field(b"\x3a", value)


_EXACT: Mapping[type, Callable[..., bytes]] = {
    str: _text,
    bool: lambda value: b"\x10\x01" if value else b"\x10\x00",
    int: _int,
    float: lambda value: b"\x21" + _pack_double(value),
    bytes: _bytes,
    type(None): lambda _: b"",
}


def _nested(value: object, depth: int, room: list[int]) -> bytes:
    encode = _EXACT.get(type(value))
    if encode:
        return encode(value)
    if depth >= MAX_DEPTH:
        return _text(CUT)
    if isinstance(value, Mapping):
        return _mapping(value, depth + 1, room)
    if isinstance(value, (list, tuple, AbstractSet)):
        return _array(value, depth + 1, room)
    return _unusual(value, depth, room)


def _unusual(value: object, depth: int, room: list[int]) -> bytes:
    # The methods of the base class, since those of a subclass may do anything.
    if isinstance(value, str):
        return _text(str.__str__(value))
    if isinstance(value, int):
        return _int(int.__index__(value))
    if isinstance(value, float):
        return b"\x21" + _pack_double(float.__float__(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value))
    if isinstance(value, Sequence):
        return _array(value, depth + 1, room)
    return _text(f"<{type(value).__qualname__}>")


def _array(
    values: Sequence[object] | AbstractSet[object], depth: int, room: list[int]
) -> bytes:
    parts = []
    for value in values:
        if room[0] <= 0:
            parts.append(field(b"\x0a", _text(CUT)))
            break
        room[0] -= 1
        parts.append(field(b"\x0a", _nested(value, depth, room)))
    return field(b"\x2a", b"".join(parts))


def _mapping(values: Mapping[object, object], depth: int, room: list[int]) -> bytes:
    parts = []
    for key, value in values.items():
        if room[0] <= 0:
            parts.append(_pair(CUT, _text(CUT)))
            break
        room[0] -= 1
        parts.append(_pair(key_text(key), _nested(value, depth, room)))
    return field(b"\x32", b"".join(parts))


def _pair(key: str, value: bytes) -> bytes:
    return field(b"\x0a", field(b"\x0a", utf8(key)) + field(b"\x12", value))


def key_text(key: object) -> str:
    """Return the name of an attribute, which should be a string, and so may not be."""
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, (bool, int, float)):
        return repr(key) if type(key) in _EXACT else f"<{type(key).__qualname__}>"
    return f"<{type(key).__qualname__}>"
