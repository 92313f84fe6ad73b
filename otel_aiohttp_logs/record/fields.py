"""
What a log record says: its message, the fields of ``extra``, its exception.

All of it in a safe form, whatever the application passed; nothing here raises an
``Exception``. Names are made so that none of them can hide one of the record's own
fields, or one of the resource, from a log store's search.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_aiohttp_logs.record.exceptions import ExceptionFields, exception
from otel_aiohttp_logs.record.safe import Room, plain, unique
from otel_aiohttp_logs.record.stamp import ids_of, same_id, shows_our_ids
from otel_aiohttp_logs.record.text import (
    MAX_NAME,
    exact,
    name_of,
    repr_of,
    size_of,
    text_of,
    tidy,
    type_name,
)

if TYPE_CHECKING:
    from otel_aiohttp_logs.flat import Plain

__all__ = [
    "IDS",
    "MAX_MESSAGE",
    "ExceptionFields",
    "exception",
    "extra_fields",
    "id_text",
    "message",
    "own_name",
]

MAX_MESSAGE = 256 * 1024
"""Bytes of a message; a stack may be as long."""
MAX_ID = 128
"""Bytes of an id on a record that somebody else stamped."""
IDS = ("request_id", "trace_id", "span_id", "trace_flags")

_ID_NAMES = frozenset(IDS)
_OWN = frozenset(
    {
        "",  # VictoriaLogs: the message
        "_msg",
        "_stream",
        "_stream_id",
        "_time",
        "@timestamp",
        "body",
        "event_name",
        "exception",
        "exception.message",
        "exception.stack",
        "exception.stacktrace",
        "exception.type",
        "level",
        "logger",
        "message",
        "observed_timestamp",
        "request.ended",
        "request.ended_after",
        "severity_number",
        "severity_text",
        "timestamp",
        *IDS,
    }
)
OWN_ROOTS = frozenset({"exception", "scope", "service", "telemetry"})
_OWN_PREFIXES = ("service.", "telemetry.", "scope.")

_BLANK = vars(logging.LogRecord("", 0, "", 0, "", (), None))
_BLANK_COUNT = len(_BLANK)
_LAST = list(_BLANK)[-1]
# By opentelemetry-instrumentation-logging: the ids once more, for format strings.
ALIASES = ("otelTraceID", "otelSpanID", "otelTraceSampled", "otelServiceName")
# ``message`` and ``asctime`` are left by formatters; ``taskName`` is 3.12's.
NO_EXTRA = frozenset({*_BLANK, "message", "asctime", "taskName", *ALIASES})


def message(record: logging.LogRecord) -> str:
    """
    Return the record's message, at most ``MAX_MESSAGE`` bytes of it.

    If it can't be made (arguments that don't fit, a failing ``__str__``): the
    template, the arguments and the reason.
    """
    try:
        text = exact(record.getMessage())
    except Exception as exc:  # noqa: BLE001 - the application's code may raise anything
        text = _unformatted(record, exc)
    if len(text) <= MAX_MESSAGE and text.isascii():
        return text
    return tidy(text, MAX_MESSAGE)


def _unformatted(record: logging.LogRecord, exc: Exception) -> str:
    template = text_of(record.msg, MAX_MESSAGE)
    args = record.args if isinstance(record.args, tuple) else (record.args,)
    shown = ", ".join(repr_of(arg, 1024) for arg in args[:20])
    return f"{template} [arguments ({shown}) failed: {_type_and_text(exc)}]"


def _type_and_text(exc: BaseException) -> str:
    return f"{type_name(exc)}: {text_of(exc, 1024)}"


def own_name(key: str, value: object) -> str:
    """
    Return the name under which the extra field *key* goes out.

    ``extra.<key>`` if it would otherwise stand where one of the record's own fields
    or the resource stands, also as a path (``service: {name: …}``).
    """
    if key in _OWN or key.startswith(_OWN_PREFIXES):
        return f"extra.{key}"
    if key in OWN_ROOTS and isinstance(value, Mapping):
        return f"extra.{key}"
    return key


def id_text(value: object) -> str | None:
    """Return *value* as an id, None if it can't be one: then it's an extra field."""
    return tidy(value, MAX_ID) if type(value) is str and value else None


def extra_fields(record: logging.LogRecord) -> dict[str, Plain]:
    """
    Return what the application passed in ``extra``, as plain values.

    ``stack_info`` is among them if it was asked for. Of more than ``MAX_FIELDS`` the
    first are kept and ``extra.left_out`` says how many are missing. Ask for the message
    first: that is what tells the application's ``extra={"trace_id": …}`` from our ids.
    """
    values = vars(record)
    keys = _extra_keys(record, values)
    fields: dict[str, Plain] = {}
    if keys:
        room = Room()
        for done, key in enumerate(keys):
            if room.fields <= 0:
                fields[unique("extra.left_out", fields)] = len(keys) - done
                break
            room.fields -= 1
            value = values[key]
            name, name_room = _name(key, value)
            if name in fields:
                name, name_room = _measured(unique(name, fields))
            fields[name] = plain(value, room, name_room)
    if record.stack_info:
        fields["stack_info"] = text_of(record.stack_info, MAX_MESSAGE)
    return fields


def _extra_keys(record: logging.LogRecord, values: Mapping[str, object]) -> list[str]:
    # ``LogRecord.__init__`` sets its own attributes first, and what is in ``extra``
    # comes behind them. A class of the application may do it differently.
    keys = list(values)
    if len(keys) >= _BLANK_COUNT and keys[_BLANK_COUNT - 1] == _LAST:
        keys = keys[_BLANK_COUNT:]
    if shows_our_ids(record):
        ids = ids_of(record)._asdict()
        # An id of the application's own may stand there in place of ours.
        return [
            key
            for key in keys
            if key not in NO_EXTRA
            and not (key in _ID_NAMES and same_id(values[key], ids[key]))
        ]
    return [
        key
        for key in keys
        if key not in NO_EXTRA
        and not (key in _ID_NAMES and (values[key] is None or type(values[key]) is str))
    ]


def _name(key: object, value: object) -> tuple[str, int]:
    """Return the name of a field, and how long the names inside of it may be."""
    if type(key) is not str:
        key = name_of(key)
    elif len(key) <= MAX_NAME and key not in OWN_ROOTS:
        return prepared_name(key)
    return _measured(name_of(own_name(key, value)))


@lru_cache(maxsize=1024)
def prepared_name(key: str) -> tuple[str, int]:
    return _measured(name_of(own_name(key, None)))


def _measured(name: str) -> tuple[str, int]:
    return name, MAX_NAME - size_of(name) - 1
