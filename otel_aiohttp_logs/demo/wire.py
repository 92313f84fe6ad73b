"""
Protobuf's wire format, read without a library for it.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections import defaultdict


class Message:
    """
    The fields of one message by number; what is absent reads as zero or empty.

    Raises ``ValueError`` for bytes that are no message, and for a field that is not of
    the kind that is asked for. Unknown fields do no harm.
    """

    def __init__(self, data: bytes) -> None:
        self._fields: defaultdict[int, list[int | bytes]] = defaultdict(list)
        at = 0
        while at < len(data):
            key, at = _varint(data, at)
            value, at = _value(data, at, key & 7)
            self._fields[key >> 3].append(value)

    def number(self, field: int) -> int:
        value = self._last(field, 0)
        if isinstance(value, int):
            return value
        raise _mistyped(field)

    def raw(self, field: int) -> bytes:
        return _as_bytes(self._last(field, b""), field)

    def text(self, field: int) -> str:
        return self.raw(field).decode()

    def message(self, field: int) -> Message:
        return Message(self.raw(field))

    def messages(self, field: int) -> list[Message]:
        values = self._fields.get(field, [])
        return [Message(_as_bytes(value, field)) for value in values]

    def __contains__(self, field: int) -> bool:
        return field in self._fields

    def _last(self, field: int, default: int | bytes) -> int | bytes:
        return self._fields[field][-1] if field in self._fields else default


def _value(data: bytes, at: int, wire: int) -> tuple[int | bytes, int]:
    if wire == 0:
        return _varint(data, at)
    if wire == 1:
        return int.from_bytes(_slice(data, at, 8), "little"), at + 8
    if wire == 2:
        length, at = _varint(data, at)
        return _slice(data, at, length), at + length
    if wire == 5:
        return int.from_bytes(_slice(data, at, 4), "little"), at + 4
    msg = f"wire type {wire} before byte {at}"
    raise ValueError(msg)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = _slice(data, at, 1)[0]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    msg = f"a number of more than ten bytes before byte {at}"
    raise ValueError(msg)


def _slice(data: bytes, at: int, length: int) -> bytes:
    if at + length > len(data):
        msg = f"{length} bytes wanted at byte {at} of {len(data)}"
        raise ValueError(msg)
    return data[at : at + length]


def _as_bytes(value: int | bytes, field: int) -> bytes:
    if isinstance(value, bytes):
        return value
    raise _mistyped(field)


def _mistyped(field: int) -> ValueError:
    return ValueError(f"field {field} is of another kind than expected")
