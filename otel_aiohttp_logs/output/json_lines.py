"""
JSON lines: one record, one line, whatever is in it.

The keys, in this order: ``timestamp`` (RFC 3339, UTC, microseconds), ``level``,
``logger``, ``message``, ``request_id``, ``trace_id``, ``span_id``, ``trace_flags``,
``event_name`` (of the event of a request), the fields, ``exception`` with ``type``,
``message`` and ``stack``. What a record doesn't have is left out, so that a search for
lines that have the key finds what it means to.
"""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Literal

from otel_aiohttp_logs.output.escape import quoted
from otel_aiohttp_logs.output.fixed import refuse_format
from otel_aiohttp_logs.record.access import EVENT_NAME, EventRecord
from otel_aiohttp_logs.record.exceptions import exception
from otel_aiohttp_logs.record.fields import IDS, id_text
from otel_aiohttp_logs.record.said import said
from otel_aiohttp_logs.record.stamp import NO_IDS, ids_of
from otel_aiohttp_logs.record.text import name_of, type_name
from otel_aiohttp_logs.record.twins import native

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_aiohttp_logs.flat import Plain
    from otel_aiohttp_logs.record.stamp import Said

_MAX_PREPARED = 1000


class JSONFormatter(logging.Formatter):
    """
    Formats each record as one line of JSON. Takes no arguments.

    In ``dictConfig``: ``{"()": "otel_aiohttp_logs.JSONFormatter"}``, or ``"class"``.
    Never raises an ``Exception``: a record that can't be formatted becomes a line that
    says so.
    """

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,  # noqa: FBT001, FBT002 - as dictConfig passes them
    ) -> None:
        refuse_format("JSONFormatter", fmt, datefmt)
        super().__init__(None, None, style, validate)
        # The current second as text. One tuple, because threads share it.
        self._second: tuple[str | None, str] = (None, "")
        # What is the same in many lines, already as JSON.
        self._heads: dict[tuple[str, str], str] = {}
        self._names: dict[str, str] = {}

    def format(self, record: logging.LogRecord, words: Said | None = None) -> str:
        try:
            if words is None:
                words = (native and native.said(record)) or said(record)
            line: str | None = native.json_line(record, words) if native else None
            return line or self._line(record, words)
        except Exception as exc:  # noqa: BLE001 - logging must not break the application
            return _failure(record, exc)

    def _line(self, record: logging.LogRecord, words: Said) -> str:
        text = quoted(words.message)
        head = self._heads.get((record.levelname, record.name)) or self._head(record)
        parts = [self._time(record.created), head, text]
        ids = ids_of(record)
        if ids != NO_IDS:
            parts.append(
                _ids(ids.request_id, ids.trace_id, ids.span_id, ids.trace_flags)
            )
        if type(record) is EventRecord:
            parts.append(f',"event_name":"{EVENT_NAME}"')
        if words.fields:
            parts.append(self._fields(words.fields))
        if record.exc_info or record.exc_text:
            parts.append(_exception(record))
        parts.append("}")
        return "".join(parts)

    def _time(self, created: float) -> str:
        digits = str(round(created * 1_000_000))
        second, micros = digits[:-6], digits[-6:]
        prepared, text = self._second
        if prepared != second:
            if not second.isdigit():  # before 1970, or in its first second
                return _timestamp(created)
            moment = time.gmtime(int(second))
            text = time.strftime('{"timestamp":"%Y-%m-%dT%H:%M:%S.', moment)
            self._second = (second, text)
        return f'{text}{micros}Z"'

    def _head(self, record: logging.LogRecord) -> str:
        level, logger = record.levelname, record.name
        shown = quoted(name_of(level)), quoted(name_of(logger, 1024))
        head = ',"level":{},"logger":{},"message":'.format(*shown)
        if type(level) is str and type(logger) is str:
            if len(self._heads) >= _MAX_PREPARED:
                self._heads.clear()
            self._heads[level, logger] = head
        return head

    def _fields(self, fields: Mapping[str, Plain]) -> str:
        names = self._names
        parts = []
        for key, value in fields.items():
            name = names.get(key) or self._name(key)
            parts.append(
                name + (quoted(value) if type(value) is str else to_json(value))
            )
        return "".join(parts)

    def _name(self, key: str) -> str:
        if len(self._names) >= _MAX_PREPARED:
            self._names.clear()
        name = self._names[key] = f",{quoted(key)}:"
        return name


def _timestamp(created: float) -> str:
    second, micros = divmod(round(created * 1_000_000), 1_000_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
    return f'{{"timestamp":"{text}.{micros:06d}Z"'


def _ids(*ids: object) -> str:
    """Return the ids as JSON: those of a request are made for its first line."""
    try:
        return _known_ids(*ids)
    except TypeError:  # unhashable: nothing that we put on a record
        return _known_ids.__wrapped__(*ids)


# By type, too: a subclass of str that equals an id is none.
@lru_cache(maxsize=256, typed=True)
def _known_ids(*ids: object) -> str:
    return "".join(
        f',"{name}":{quoted(known)}'
        for name, value in zip(IDS, ids, strict=True)
        if (known := id_text(value)) is not None
    )


def _exception(record: logging.LogRecord) -> str:
    raised = exception(record)
    if raised is None:
        return ""
    return (
        f',"exception":{{"type":{quoted(raised.type)},'
        f'"message":{quoted(raised.message)},"stack":{quoted(raised.stack)}}}'
    )


def to_json(value: Plain) -> str:  # noqa: PLR0911 - a table of types
    """Return a plain value as JSON; ``bytes`` as text, NaN and Infinity too."""
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        # JSON has no NaN and no Infinity: as text they survive every reader.
        return repr(value) if isfinite(value) else f'"{value}"'
    if isinstance(value, bytes):
        return quoted(value.decode("utf-8", "backslashreplace"))
    if isinstance(value, dict):
        pairs = (f"{quoted(key)}:{to_json(item)}" for key, item in value.items())
        return f"{{{','.join(pairs)}}}"
    return f"[{','.join(map(to_json, value))}]"


def _failure(record: logging.LogRecord, exc: Exception) -> str:
    """Return the line that stands for a record which can't be formatted at all."""
    values = vars(record)
    ids = _ids(*(values.get(name) for name in IDS))
    logger = quoted(name_of(values.get("name")))
    text = quoted(f"a log record could not be formatted: {type_name(exc)}")
    return (
        f'{_timestamp(time.time())},"level":"ERROR","logger":{logger},'
        f'"message":{text}{ids}}}'
    )
