"""The exception of a log record: type, message and stack, as safe text."""

from __future__ import annotations

import re
import traceback
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from otel_aiohttp_logs.record.text import (
    exact,
    text_of,
    tidy,
    tidy_middle,
    type_name,
)

if TYPE_CHECKING:
    import logging

MAX_STACK = 256 * 1024
"""Bytes; of a longer one the middle is cut, since both ends matter."""
MAX_REASON = 16 * 1024
"""Bytes of the exception's message."""

_HEADER = "Traceback (most recent call last):"
_TYPE_LINE = re.compile(r"^([^\W\d][\w.]*)(?:: (.*))?$", re.MULTILINE)
_ExcInfo: TypeAlias = (
    "tuple[type[BaseException], BaseException | None, TracebackType | None]"
)


EXCEPTION_NAMES = ("exception.type", "exception.message", "exception.stacktrace")


class ExceptionFields(NamedTuple):
    """The values of these, which the semantic conventions name."""

    type: str
    """Qualified (``asyncio.exceptions.CancelledError``); a built-in's name alone."""
    message: str
    stack: str
    """The traceback as Python prints it, with the causes before it."""

    def named(self) -> dict[str, str]:
        return dict(zip(EXCEPTION_NAMES, self, strict=True))


def exception(record: logging.LogRecord) -> ExceptionFields | None:
    """
    Return the exception that was logged, None if there was none.

    The stack is formatted once: as ``logging.Formatter`` does, it's kept in
    ``record.exc_text``. A record that lost its exception on its way from another
    process or through a queue is read from that text.
    """
    if not record.exc_info and not record.exc_text:
        return None
    info = _exc_info(record.exc_info)
    text = record.exc_text
    if not isinstance(text, str) or not text:
        if info is None:
            return None
        text = _format(info)
        record.exc_text = text
    stack = tidy_middle(exact(text), MAX_STACK)
    if info is None:
        return _from_text(stack)
    kind, value, _ = info
    reason = "" if value is None else text_of(value, MAX_REASON)
    return ExceptionFields(_qualified(kind), reason, stack)


def exception_fields(raised: BaseException) -> ExceptionFields:
    """Return what there is to say of an exception that no record carries."""
    info = (type(raised), raised, raised.__traceback__)
    stack = tidy_middle(_format(info), MAX_STACK)
    return ExceptionFields(_qualified(info[0]), text_of(raised, MAX_REASON), stack)


def error_text(raised: BaseException) -> str:
    """Return ``Type: message``, as the description of a status."""
    return f"{type_name(raised)}: {text_of(raised, MAX_REASON)}"


def _exc_info(info: object) -> _ExcInfo | None:
    """Return *info* if it is one: records made by hand hold all sorts of things."""
    if isinstance(info, BaseException):
        return type(info), info, info.__traceback__
    if not isinstance(info, tuple) or len(info) != 3:
        return None
    kind, value, tb = info
    if not isinstance(kind, type) or not issubclass(kind, BaseException):
        return None
    return (
        kind,
        value if isinstance(value, BaseException) else None,
        tb if isinstance(tb, TracebackType) else None,
    )


def _format(info: _ExcInfo) -> str:
    try:
        return "".join(traceback.format_exception(*info)).rstrip("\n")
    except Exception as exc:  # noqa: BLE001 - the exception's own code may raise
        kind, value, _ = info
        reason = "" if value is None else text_of(value, MAX_REASON)
        return f"{_qualified(kind)}: {reason}\n[no traceback: {type_name(exc)}]"


def _qualified(kind: type[BaseException]) -> str:
    try:
        name = exact(kind.__qualname__)
        module = exact(kind.__module__)
    except Exception:  # noqa: BLE001 - a metaclass can make even this raise
        return "object"
    return tidy(name if module == "builtins" else f"{module}.{name}", 1024)


def _from_text(stack: str) -> ExceptionFields:
    """Return what the first line ``Type: message`` of the last traceback says."""
    found = _TYPE_LINE.search(stack, max(0, stack.rfind(_HEADER)))
    kind, reason = (found[1], found[2] or "") if found else ("", "")
    return ExceptionFields(kind, tidy(reason, MAX_REASON), stack)
