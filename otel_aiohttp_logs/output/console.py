"""
Lines for people: interleaved requests are told apart at a glance.

Each request has a bar and a short id in a colour of its own, the same in each process
and after a restart. A traceback hangs below its line, behind the bar of its request.
What the application or a stranger wrote cannot look like a line: it's escaped.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Literal
from zlib import crc32

from otel_aiohttp_logs.output.escape import quoted, visible
from otel_aiohttp_logs.output.fixed import refuse_format
from otel_aiohttp_logs.output.json_lines import to_json
from otel_aiohttp_logs.record.access import ACCESS_LOGGER, EventRecord
from otel_aiohttp_logs.record.exceptions import exception
from otel_aiohttp_logs.record.fields import id_text
from otel_aiohttp_logs.record.said import said
from otel_aiohttp_logs.record.stamp import ids_of
from otel_aiohttp_logs.record.text import name_of, tidy, type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_aiohttp_logs.flat import Plain
    from otel_aiohttp_logs.record.stamp import Said

# Of the 216 colours of the cube: at least 3:1 in contrast to black and to white, far
# apart from each other (CIELAB), and none that looks like the red of an error.
PALETTE = (28, 31, 33, 65, 93, 96, 134, 136, 162, 167, 201, 202)
_MAX_VALUE = 500
_LOGGER_WIDTH = 14
_RESET = "\x1b[0m"
_DIM = "\x1b[38;5;244m"
# The terminal's own colours: they follow its theme.
_LEVELS = {
    logging.DEBUG: "\x1b[38;5;244m",
    logging.INFO: "\x1b[32m",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[1;31m",
    logging.CRITICAL: "\x1b[1;37;41m",
}
_SHORT_LEVELS = {"WARNING": "WARN ", "CRITICAL": "CRIT "}
# What aiohttp's access lines have in their message, and once more as fields.
_ACCESS_FIELDS = (
    "remote_address",
    "request_start_time",
    "process_id",
    "first_request_line",
    "response_status",
    "response_size",
    "request_time",
    "request_time_frac",
    "request_time_micro",
    "request_header",
    "response_header",
)
# Of a request's event, what its message says, and what is the same in most of them.
_EVENT_FIELDS = (
    "client.address",
    "http.request.method",
    "http.response.size",
    "http.response.status_code",
    "http.route",
    "network.protocol.version",
    "outcome",
    "server.address",
    "server.port",
    "time_to_first_byte",
    "url.path",
    "url.scheme",
    "user_agent.original",
)
_BAR = "▌"
_ID_WIDTH = 8
# Time and level, which a traceback leaves blank.
_MARGIN = " " * len("12:00:00.000 INFO  ")
_BELOW = " " * (_ID_WIDTH + 1)


class ConsoleFormatter(logging.Formatter):
    """
    Formats each record as one coloured line, a traceback below it.

    In ``dictConfig``: ``{"()": "otel_aiohttp_logs.ConsoleFormatter"}``, or ``"class"``.
    *colors* None: yes, unless the environment says no (``NO_COLOR``, ``TERM=dumb``);
    ``FORCE_COLOR`` goes before both. Never raises an ``Exception``.
    """

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,  # noqa: FBT001, FBT002 - as dictConfig passes them
        *,
        colors: bool | None = None,
    ) -> None:
        refuse_format("ConsoleFormatter", fmt, datefmt)
        super().__init__(None, None, style, validate)
        self._colors = _wants_colors() if colors is None else colors
        # The current second as text. One tuple, because threads share it.
        self._second: tuple[int | None, str] = (None, "")

    def format(self, record: logging.LogRecord, words: Said | None = None) -> str:
        try:
            return self._lines(record, said(record) if words is None else words)
        except Exception as exc:  # noqa: BLE001 - logging must not break the application
            return f"a log record could not be formatted: {type_name(exc)}"

    def _lines(self, record: logging.LogRecord, words: Said) -> str:
        text = visible(words.message)
        color, shown = self._request(record)
        level = record.levelname
        short = _SHORT_LEVELS.get(level) or f"{visible(name_of(level)):<5}"
        logger = f"{visible(name_of(record.name)):<{_LOGGER_WIDTH}}"
        bar = self._paint(_BAR, color) if color else " "
        line = (
            f"{self._paint(self._time(record.created), _DIM)} "
            f"{self._paint(short, _level_color(record.levelno))} "
            f"{bar}{self._paint(f'{shown:<{_ID_WIDTH}}', color)} "
            f"{self._paint(logger, _DIM)} {text}"
        )
        fields = {**words.fields}
        if record.name == ACCESS_LOGGER:
            known = _EVENT_FIELDS if type(record) is EventRecord else _ACCESS_FIELDS
            for name in known:
                fields.pop(name, None)
        stack_info = fields.pop("stack_info", None)
        if fields:
            line += "  " + self._paint(_pairs(fields), _DIM)
        if stack_info is not None:
            line += self._below(str(stack_info), bar)
        raised = exception(record)
        if raised is not None:
            line += self._below(raised.stack, bar, 1 + raised.message.count("\n"))
        return line

    def _request(self, record: logging.LogRecord) -> tuple[str, str]:
        """Return the colour and the short id of the record's request, or blanks."""
        ids = ids_of(record)
        # Work that no request began, such as a worker's, has its trace alone.
        whole = id_text(ids.request_id) or id_text(ids.trace_id)
        if whole is None:
            return "", ""
        return f"\x1b[38;5;{color_of(whole)}m", visible(short_id(whole))

    def _time(self, created: float) -> str:
        second, millis = divmod(int(created * 1000), 1000)
        prepared, text = self._second
        if prepared != second:
            text = time.strftime("%H:%M:%S", time.localtime(second))
            self._second = (second, text)
        return f"{text}.{millis:03d}"

    def _paint(self, text: str, color: str) -> str:
        return f"{color}{text}{_RESET}" if color and self._colors else text

    def _below(self, text: str, bar: str, loud: int = 0) -> str:
        """Return *text* as lines behind *bar*, the last *loud* of them as an error."""
        lines = [visible(line) for line in text.split("\n")]
        quiet = max(0, len(lines) - loud)
        painted = [self._paint(line, _DIM) for line in lines[:quiet]]
        painted += [self._paint(line, _LEVELS[logging.ERROR]) for line in lines[quiet:]]
        margin = f"\n{_MARGIN}{bar}{_BELOW}"
        return margin + margin.join(painted)


def color_of(request_id: str) -> int:
    """Return the colour of a request: a number of the terminal's 256."""
    return PALETTE[crc32(request_id.encode("utf-8", "replace")) % len(PALETTE)]


def short_id(request_id: str) -> str:
    """
    Return eight characters by which people tell requests apart.

    The first of a random UUID; else the last, because UUIDs ordered by time and
    numbers that are counted up begin alike.
    """
    random = len(request_id) == 36 and request_id[14] == "4"
    return request_id[:_ID_WIDTH] if random else request_id[-_ID_WIDTH:]


def _level_color(level: object) -> str:
    if not isinstance(level, int):  # a record made by hand
        return ""
    return _LEVELS[50] if level >= 50 else _LEVELS.get(level // 10 * 10, "")


def _pairs(fields: Mapping[str, Plain]) -> str:
    return " ".join(f"{_word(key)}={_value(value)}" for key, value in fields.items())


def _value(value: Plain) -> str:
    if isinstance(value, str):
        return _word(tidy(value, _MAX_VALUE))
    return tidy(to_json(value), _MAX_VALUE)


def _word(text: str) -> str:
    """Return *text* as it is, or in quotes if it could be taken for more than one."""
    plain = text.isprintable() and not any(c in text for c in ' "=')
    return text if plain and text else quoted(text)


def _wants_colors() -> bool:
    if os.environ.get("FORCE_COLOR"):
        return True
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
