"""
What the compiled twin of ``plain`` asks Python: about a class, and for odd values.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from otel_aiohttp_logs.record import safe

if TYPE_CHECKING:
    from otel_aiohttp_logs.flat import Plain

_LEFT_TO_PYTHON = 0
_GUID = 7
# The numbers of _speed/forms.c.
_NUMBERS = {
    safe.own_text: 1,
    safe.moment: 2,
    safe.shown: 3,
    safe.error: 4,
    safe.whole: 5,
    safe.part: 6,
}


def form_number(kind: type) -> int:
    """Return the number of what makes values of *kind* plain."""
    uuid = sys.modules.get("uuid")
    if uuid is not None and kind is getattr(uuid, "UUID", None):
        return _GUID
    return _NUMBERS.get(safe.form_of(kind), _LEFT_TO_PYTHON)


def plain_within(value: object, size: int, items: int, fields: int) -> Plain:
    """
    Return *value* as ``plain`` does, within so much text, so many items and keys.
    """
    room = safe.Room()
    room.size, room.items, room.fields = size, items, fields
    return safe.plain(value, room)


def plain_in(  # noqa: PLR0913, PLR0917 - one caller, in C
    value: object,
    name_room: int,
    fields: int,
    items: int,
    size: int,
    parents: tuple[int, ...],
) -> tuple[Plain, int, int, int]:
    """
    Return *value* as ``plain`` does inside of *parents*, and what room is left.
    """
    room = safe.Room()
    room.fields, room.items, room.size = fields, items, size
    room.parents.update(parents)
    make = safe.copy_in if parents else safe.plain
    return make(value, room, name_room), room.fields, room.items, room.size
