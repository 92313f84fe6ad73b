"""Lines on stdout, where the application configured no handler of its own."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING

from otel_aiohttp_logs.output.console import ConsoleFormatter
from otel_aiohttp_logs.output.escape import ascii_only
from otel_aiohttp_logs.output.json_lines import JSONFormatter
from otel_aiohttp_logs.record.access import is_replaced
from otel_aiohttp_logs.record.handler import is_upstreams
from otel_aiohttp_logs.record.said import said, take
from otel_aiohttp_logs.record.twins import native

if TYPE_CHECKING:
    from collections.abc import Container, Iterable


def stdout_handler(
    output: str,
    *,
    ours: Iterable[logging.Handler] = (),
    access_lines: bool = True,
) -> StdoutHandler | None:
    """
    Return the handler for *output*: auto, json, console, or None for none.

    ``auto`` is console when stdout is a terminal, else json. *ours* are the handlers
    of this library: they don't count as the application's (see ``handled_elsewhere``).
    Without *access_lines* those of aiohttp's are left out that an event replaces.
    """
    if output == "none":
        return None
    if output == "auto":
        output = "console" if _is_terminal() else "json"
    formatter = ConsoleFormatter() if output == "console" else JSONFormatter()
    return StdoutHandler(formatter, ours, access_lines=access_lines)


def handled_elsewhere(
    logger_name: str, ours: Container[logging.Handler | None]
) -> bool:
    """
    Tell whether a handler of the application's own gets the records of a logger.

    Any handler on the way up counts that shows lines and isn't one of *ours*. The
    logger is only looked up, never made: that would take logging's lock.
    """
    logger: logging.Logger | None = _nearest(logger_name)
    while logger is not None:
        for handler in logger.handlers:
            if handler not in ours and shows_lines(handler):
                return True
        if not logger.propagate:
            return False
        logger = logger.parent
    return False


def shows_lines(handler: logging.Handler) -> bool:
    """Tell whether *handler* is for readers: ``NullHandler`` and exporters are not."""
    return not isinstance(handler, logging.NullHandler) and not is_upstreams(handler)


def _nearest(name: str) -> logging.Logger:
    if type(name) is not str:  # of a record that was made elsewhere
        return logging.root
    known = logging.root.manager.loggerDict
    while name:
        logger = known.get(name)
        if isinstance(logger, logging.Logger):
            return logger
        name = name.rpartition(".")[0]
    return logging.root


def _is_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except (AttributeError, OSError, ValueError):  # None, or closed
        return False


class StdoutHandler(logging.Handler):
    """
    Writes each record as one line to whatever ``sys.stdout`` is at that moment.

    A broken pipe or a closed stdout never reaches the application: *lost* counts the
    lines that couldn't be written.
    """

    def __init__(
        self,
        formatter: JSONFormatter | ConsoleFormatter,
        ours: Iterable[logging.Handler] = (),
        *,
        access_lines: bool = True,
    ) -> None:
        super().__init__()
        self.formatter: JSONFormatter | ConsoleFormatter = formatter
        self.lost = 0
        self._ours = (self, *ours)
        self._access_lines = access_lines
        if native:
            vars(self)["handle"] = partial(native.show, self, JSONFormatter)

    def handle(self, record: logging.LogRecord) -> bool:
        if not self._access_lines and is_replaced(record):
            return False
        if self.filters:
            kept: object = self.filter(record)
            if not kept:
                return False
            if isinstance(kept, logging.LogRecord):  # since Python 3.12
                record = kept
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        if handled_elsewhere(record.name, self._ours):
            return
        try:
            words = said(record) if self.filters else take(record)
            line = f"{self.formatter.format(record, words)}\n"
        except Exception:  # noqa: BLE001 - a formatter of the application's
            self.lose()
        else:
            # Only now is the lock taken: threads wait for each other's writes only.
            self.write(line)

    def write(self, line: str) -> None:
        """Write a whole *line*, or count it as lost."""
        try:
            with self.lock:  # type: ignore[union-attr]  # None only before __init__
                _write(line)
        except Exception:  # noqa: BLE001 - a closed pipe is no reason to fail a request
            self.lose()

    def lose(self) -> None:
        self.lost += 1


def _write(line: str) -> None:
    """Write *line* in one piece; a terminal that isn't Unicode gets it escaped."""
    out = sys.stdout
    try:
        out.write(line)
    except UnicodeEncodeError:
        out.write(ascii_only(line))
    out.flush()
