"""A stamped log record becomes one flat record."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from otel_aiohttp_logs.flat import FlatLog
from otel_aiohttp_logs.record.access import EVENT_NAME, EventRecord
from otel_aiohttp_logs.record.fields import exception
from otel_aiohttp_logs.record.said import say_and_leave
from otel_aiohttp_logs.record.stamp import ids_of

if TYPE_CHECKING:
    import logging

    from otel_aiohttp_logs.flat import Plain
    from otel_aiohttp_logs.record.stamp import Ids


def flat_log(record: logging.LogRecord) -> FlatLog:
    """
    Return *record* as it goes out; nothing of the application's is held by it.

    https://opentelemetry.io/docs/specs/otel/logs/data-model/
    """
    words = say_and_leave(record)
    attributes: dict[str, Plain] = {**words.fields}
    ids = ids_of(record)
    if ids.request_id is not None:
        attributes["request_id"] = ids.request_id
    if record.exc_info or record.exc_text:
        raised = exception(record)
        if raised is not None:
            attributes.update(raised.named())
    return FlatLog(
        int(record.created * 1_000_000_000),
        severity_number(record.levelno),
        record.levelname or "",
        record.name or "",
        words.message,
        attributes,
        *numbers_of(ids),
        EVENT_NAME if type(record) is EventRecord else "",
    )


def numbers_of(ids: Ids) -> tuple[int, int, int]:
    try:
        return _known_numbers(ids.trace_id, ids.span_id, ids.trace_flags)
    except TypeError:  # unhashable: ids that somebody else put on the record
        return 0, 0, 0


# A request's lines, of which there are several, have the same ids.
@lru_cache(maxsize=256)
def _known_numbers(
    trace_id: str | None, span_id: str | None, trace_flags: str | None
) -> tuple[int, int, int]:
    return _number(trace_id, 32), _number(span_id, 16), _number(trace_flags, 2)


def _number(text: str | None, digits: int) -> int:
    """Return what *text* stands for, 0 if it isn't *digits* of hex."""
    if text is None:
        return 0
    try:
        return int(text, 16) if len(text) == digits else 0
    except (TypeError, ValueError):  # an id that somebody else put on the record
        return 0


def severity_number(level: object) -> int:
    """
    Return the severity of a level of ``logging``: INFO is 9, ERROR is 17.

    Levels between two of logging's own count on: 25 is INFO3. 0: nobody said.
    """
    if not isinstance(level, int):  # makeLogRecord leaves None
        return 0
    if level < 10:
        return 1 + max(level, 0) * 4 // 10
    if level >= 50:
        return min(21 + (level - 50) * 4 // 10, 24)
    return 5 + (level - 10) // 10 * 4 + (level % 10) * 4 // 10
