"""
Protocol buffers' wire format, as much of it as OTLP needs.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from struct import iter_unpack
from typing import TYPE_CHECKING

from otel_aiohttp_logs._speed import native

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK_64 = (1 << 64) - 1


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _of_two_bytes() -> Iterator[bytes]:
    pairs = bytearray(256)
    pairs[::2] = bytes(range(0x80, 0x100))
    for high in range(1, 0x80):
        pairs[1::2] = bytes((high,)) * 128
        yield from (pair for (pair,) in iter_unpack("2s", pairs))


# Nearly every length and small number is found here. Where most of the encoding is
# compiled, that many of them would only take up time at the start.
_VARINTS = (*map(_varint, range(128)), *(() if native else _of_two_bytes()))
_PREPARED = len(_VARINTS)


def varint(number: int) -> bytes:
    """Return *number* as a base 128 varint. ``ValueError`` if it's negative."""
    return _VARINTS[number] if 0 <= number < _PREPARED else _varint(number)


def utf8(text: str) -> bytes:
    r"""
    Return *text* as valid UTF-8, whatever is in it.

    A lone surrogate has no UTF-8 form, and a receiver refuses the whole batch
    because of one: it goes out escaped, as in ``\ud800``.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def field(tag: bytes, content: bytes) -> bytes:
    """Return a length-delimited field: a message, a string or bytes."""
    return tag + varint(len(content)) + content


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """
    Yield each field's number and content: an int, or the bytes it consists of.

    Raises ``ValueError`` where *message* isn't one.
    """
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        if key & 7 == 0:
            number, position = _read_varint(message, position)
            yield key >> 3, number
            continue
        size, position = _read_size(key & 7, message, position)
        if position + size > len(message):
            msg = "a field ends after its message"
            raise ValueError(msg)
        yield key >> 3, message[position : position + size]
        position += size


def _read_size(wire_type: int, message: bytes, position: int) -> tuple[int, int]:
    if wire_type == 2:
        return _read_varint(message, position)
    if wire_type in {1, 5}:
        return (8 if wire_type == 1 else 4), position
    msg = f"wire type {wire_type} is not in use"
    raise ValueError(msg)


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & MASK_64, position
    msg = "a varint without an end"
    raise ValueError(msg)
