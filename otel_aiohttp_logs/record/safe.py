"""
Plain copies of whatever the application logs.

``plain`` is where the application's objects end: what it returns is made of exact
built-in types, is bounded, shares nothing mutable with the application, and can be
encoded by another thread later. It never raises an ``Exception`` and never changes
what it is given.

What is too much is cut and says so: a text by ``…[123 bytes cut]``, a list by a last
item ``…[123 more]``, a mapping by a last key ``…``. Together with the limits of a
message and a stack (see ``fields``) a record stays under 2 MiB: above that log stores
drop it while they answer 200.
"""

from __future__ import annotations

from collections import ChainMap, UserDict, deque
from collections.abc import Mapping
from datetime import date, time
from functools import lru_cache
from itertools import islice
from numbers import Integral, Rational, Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from otel_aiohttp_logs.record.text import (
    MAX_NAME,
    exact,
    name_of,
    size_of,
    text_of,
    tidy,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from otel_aiohttp_logs.flat import Plain

    _Form = Callable[[Any, "Room", int], Plain]

MAX_TEXT = 64 * 1024
"""Bytes of one text or ``bytes`` value."""
MAX_DEPTH = 8
"""Levels of containers inside of each other."""
MAX_FIELDS = 500
"""Fields of a record, and keys of all its mappings: stores flatten them to fields."""
_MAX_ITEMS = 1000
_MAX_TOTAL = 512 * 1024
# Up to this length a text that is a field of its own isn't counted against the total.
_SHORT = 1024
# Fewer bytes than this are no room for a nested name: the mapping becomes text.
_LEAST_NAME = 16
_LARGEST_INT = 2**63 - 1


class Room:
    """
    What one record may still hold, shared by the copies of all its values.

    *parents* are the ids of the containers that are being copied right now, by
    which cycles and depth are told.
    """

    __slots__ = ("fields", "items", "parents", "size")

    def __init__(self) -> None:
        self.fields = MAX_FIELDS
        self.items = _MAX_ITEMS
        self.size = _MAX_TOTAL
        self.parents: set[int] = set()


def plain(value: object, room: Room | None = None, name_room: int = MAX_NAME) -> Plain:
    """
    Return a deep, bounded copy of *value* out of exact built-in types.

    *name_room* is how long the names of a mapping may be: log stores join nested
    names with dots, and limit the whole.
    """
    if type(value) is str and len(value) <= _SHORT:
        return value if value.isascii() else tidy(value, MAX_TEXT)
    if type(value) is int and -_LARGEST_INT <= value <= _LARGEST_INT:
        return value
    return copy_in(value, Room() if room is None else room, name_room)


def copy_in(value: Any, room: Room, name_room: int) -> Plain:
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value  # type: ignore[no-any-return]  # mypy doesn't narrow by kind
    if kind is int:
        return _number(value)
    if kind is str:
        return _text(value, room)
    try:
        return form_of(kind)(value, room, name_room)  # type: ignore[arg-type]  # hashable
    except Exception:  # noqa: BLE001 - the application's code may raise anything
        return f"<unprintable {type_name(value)}>"


@lru_cache(maxsize=512)
def form_of(kind: type) -> _Form:
    """Return the function that makes values of *kind* plain."""
    # By class and not by isinstance: that asks the value's own __class__.
    for base, form in _FORMS:
        if issubclass(kind, base):
            return form
    if issubclass(kind, Mapping) and (
        hasattr(kind, "getall") or kind.__repr__ is object.__repr__
    ):
        return _mapping
    return shown


def _inside(fill: _Form) -> _Form:
    """Return *fill* for containers, guarded against cycles and depth."""

    def guarded(values: object, room: Room, name_room: int) -> Plain:
        own = id(values)
        if own in room.parents:
            return "…[cycle]"
        if len(room.parents) >= MAX_DEPTH:
            return "…[too deep]"
        room.parents.add(own)
        try:
            return fill(values, room, name_room)
        finally:
            room.parents.discard(own)

    return guarded


@_inside
def _sequence(values: Collection[object], room: Room, _: int) -> Plain:
    result: list[Plain] = []
    # Taken in one step of C code: another thread may be changing it.
    for value in list(islice(values, room.items)):
        if room.items <= 0:
            break
        room.items -= 1
        result.append(copy_in(value, room, MAX_NAME))
    left = len(values) - len(result)
    if left > 0:
        result.append(f"…[{left} more]")
    return result


@_inside
def _mapping(values: Mapping[object, object], room: Room, name_room: int) -> Plain:
    if name_room < _LEAST_NAME:
        return _text(repr(_pairs(values, room, MAX_NAME)), room)
    return _pairs(values, room, name_room)


def _pairs(
    values: Mapping[object, object], room: Room, name_room: int
) -> dict[str, Plain]:
    result: dict[str, Plain] = {}
    for key, value in list(islice(values.items(), room.fields)):
        if room.fields <= 0:
            break
        room.fields -= 1
        name = name_of(key, name_room)
        if name in result:
            name = unique(name, result)
        result[name] = copy_in(value, room, name_room - size_of(name) - 1)
    left = len(values) - len(result)
    if left > 0:
        result[unique("…", result)] = f"[{left} more]"
    return result


def _text(text: str, room: Room) -> str:
    kept = tidy(text, max(0, min(MAX_TEXT, room.size)))
    room.size -= len(kept)
    return kept


def _bytes(value: bytes | bytearray, room: Room, _: int) -> bytes:
    limit = max(0, min(MAX_TEXT, room.size))
    kept = bytes(value[:limit])
    room.size -= len(kept)
    left = len(value) - len(kept)
    return kept if left <= 0 else kept + f"...[{left} bytes cut]".encode()


def _number(value: int) -> int | str:
    """Return *value*, as text if 64 bits can't hold it: OTLP has no larger number."""
    if -_LARGEST_INT <= value <= _LARGEST_INT:
        return value
    # Decimal digits of a huge number cost the square of its length, and are forbidden
    # over 4300 digits.
    bits = value.bit_length()
    return str(value) if bits < 1024 else f"{hex(value >> (bits - 64))}…[{bits} bits]"


def error(value: BaseException, room: Room, _: int) -> str:
    return _text(f"{type_name(value)}: {text_of(value, MAX_TEXT)}", room)


def own_text(value: str, room: Room, _: int) -> str:
    return _text(exact(value), room)


def moment(value: date | time, room: Room, _: int) -> str:
    return _text(exact(value.isoformat()), room)


def whole(value: Integral, _room: Room, _: int) -> int | str:
    return _number(int(value))


def part(value: Real, _room: Room, _: int) -> float:
    return float(value)


def shown(value: object, room: Room, _: int) -> str:
    return _text(text_of(value, MAX_TEXT), room)


# aiohttp's requests, responses and applications are mappings too, and their repr says
# more than the keys that they happen to hold: of mappings only these are data, those
# without a repr, and headers and queries (multidicts, which have ``getall``).
_FORMS: tuple[tuple[type | tuple[type, ...], _Form], ...] = (
    ((list, tuple, set, frozenset, deque), _sequence),
    ((dict, ChainMap, UserDict, MappingProxyType), _mapping),
    (str, own_text),
    ((bytes, bytearray), _bytes),
    ((date, time), moment),
    (BaseException, error),
    (Integral, whole),
    (Rational, shown),
    (Real, part),
)


def unique(name: str, taken: Collection[str]) -> str:
    """Return *name*, with a number behind it if it's one of *taken*."""
    if name not in taken:
        return name
    number = 2
    while f"{name}~{number}" in taken:
        number += 1
    return f"{name}~{number}"
