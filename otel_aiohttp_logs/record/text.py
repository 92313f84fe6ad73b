"""
Text that can always be encoded and sent: exact ``str``, bounded, no lone surrogates.

A cut is marked with what is missing, so that nobody takes a part for the whole.
"""

from __future__ import annotations

MAX_NAME = 128
"""Bytes of a field's name: VictoriaLogs drops a record with a longer one."""
# What a cut name leaves free for the mark and for the number that keeps it unique.
_NAME_TAIL = 8


def exact(text: str) -> str:
    """Return *text* without its subclass, whatever that overrides."""
    return text if type(text) is str else str.__str__(text)


def tidy(text: str, limit: int) -> str:
    r"""
    Return *text* so that it encodes to at most *limit* bytes of UTF-8 and the mark.

    Lone surrogates, which no encoder and no strict JSON reader takes, become visible
    text such as ``\udcff``.
    """
    if text.isascii():
        left = len(text) - limit
        return text if left <= 0 else f"{text[:limit]}…[{left} bytes cut]"
    whole = text.encode("utf-8", "backslashreplace")
    left = len(whole) - limit
    if left <= 0:
        return whole.decode()
    return f"{whole[:limit].decode('utf-8', 'ignore')}…[{left} bytes cut]"


def tidy_middle(text: str, limit: int) -> str:
    """Return *text* as ``tidy`` does, but cut in the middle: both ends matter."""
    whole = text.encode("utf-8", "backslashreplace")
    left = len(whole) - limit
    if left <= 0:
        return whole.decode()
    half = limit // 2
    head = whole[:half].decode("utf-8", "ignore")
    tail = whole[-half:].decode("utf-8", "ignore")
    return f"{head}\n…[{left} bytes cut]\n{tail}"


def size_of(text: str) -> int:
    """Return how many bytes *text* takes as UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def type_name(value: object) -> str:
    try:
        return tidy(exact(type(value).__name__), MAX_NAME)
    except Exception:  # noqa: BLE001 - a metaclass can make even this raise
        return "object"


def text_of(value: object, limit: int) -> str:
    """
    Return what *value* says of itself, ``<unprintable Type>`` if that raises.

    That is ``str()``, which is ``repr()`` where a class has no text of its own.
    """
    try:
        return tidy(exact(str(value)), limit)
    except Exception:  # noqa: BLE001 - the application's code may raise anything
        return f"<unprintable {type_name(value)}>"


def repr_of(value: object, limit: int) -> str:
    """Return ``repr(value)``, or ``<unprintable Type>`` if that raises."""
    try:
        return tidy(exact(repr(value)), limit)
    except Exception:  # noqa: BLE001 - the application's code may raise anything
        return f"<unprintable {type_name(value)}>"


def name_of(key: object, limit: int = MAX_NAME) -> str:
    """Return *key* as a name of at most *limit* bytes; a cut one ends with ``…``."""
    if type(key) is str and len(key) <= limit and key.isascii():
        return key
    text = exact(key) if isinstance(key, str) else text_of(key, 4 * limit)
    whole = text.encode("utf-8", "backslashreplace")
    if len(whole) <= limit:
        return whole.decode()
    return whole[: limit - _NAME_TAIL].decode("utf-8", "ignore") + "…"
