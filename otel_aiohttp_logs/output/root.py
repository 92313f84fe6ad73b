"""Our handlers on the root logger, and its level, put there and taken away again."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from otel_aiohttp_logs.output.gunicorn import GunicornLoggers
from otel_aiohttp_logs.output.json_lines import JSONFormatter
from otel_aiohttp_logs.output.stdout import (
    handled_elsewhere,
    shows_lines,
    stdout_handler,
)
from otel_aiohttp_logs.record.access import ACCESS_LOGGER
from otel_aiohttp_logs.record.handler import is_upstreams
from otel_aiohttp_logs.record.twins import native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context

    from otel_aiohttp_logs.flat import Plain

    HandleEvent = Callable[[str, int, Mapping[str, Plain], Context], bool]


def _needs_a_record(*_: object) -> bool:
    return False


class RootHandlers:
    """
    Owner of what we put on the root logger.

    *passing_on* always goes there. A handler for stdout and a level only do if the
    application configured no handler: its own configuration is never touched.
    """

    def __init__(
        self,
        passing_on: logging.Handler,
        output: str,
        level: int,
        *,
        access_lines: bool,
    ) -> None:
        self._passing_on = passing_on
        self._stdout = stdout_handler(
            output, ours=(passing_on,), access_lines=access_lines
        )
        self._level = level
        self._level_before: int | None = None
        self._gunicorn = GunicornLoggers(passing_on)
        self.handle_event: HandleEvent = _needs_a_record
        """Do with an event what ``handle`` does; False if that takes a record."""
        if native:
            ours = (passing_on, self._stdout, self._gunicorn, JSONFormatter)
            self.handle_event = partial(native.write_event, *ours, ACCESS_LOGGER)

    def attach(self) -> None:
        """Put on what belongs there now; the application may have changed its mind."""
        root = logging.getLogger()
        # dictConfig takes every handler off that it doesn't know.
        if self._passing_on not in root.handlers:
            root.addHandler(self._passing_on)
        self._gunicorn.attach()
        if self._configured(root):
            self._detach_stdout(root)
            return
        if self._stdout is not None and self._stdout not in root.handlers:
            root.addHandler(self._stdout)
        if root.level == logging.WARNING:  # as Python made it: nobody chose it
            self._level_before = root.level
            root.setLevel(self._level)

    def handle(self, record: logging.LogRecord) -> None:
        """Give *record* to those on the root logger that are ours, or only export."""
        for handler in logging.getLogger().handlers:
            ours = handler is self._passing_on or (
                handler is self._stdout and not self._gunicorn.writes_access_lines
            )
            exports = is_upstreams(handler) and record.levelno >= handler.level
            if ours or exports:
                handler.handle(record)

    def heard_elsewhere(self, logger_name: str) -> bool:
        """Tell whether a handler of the application's gets that logger's records."""
        return handled_elsewhere(logger_name, (self._passing_on, self._stdout))

    @property
    def lost(self) -> int:
        """How many lines stdout did not take."""
        return 0 if self._stdout is None else self._stdout.lost

    def detach(self) -> None:
        root = logging.getLogger()
        root.removeHandler(self._passing_on)
        self._gunicorn.detach()
        self._detach_stdout(root)

    def _configured(self, root: logging.Logger) -> bool:
        ours = (self._passing_on, self._stdout)
        return any(shows_lines(h) for h in root.handlers if h not in ours)

    def _detach_stdout(self, root: logging.Logger) -> None:
        if self._stdout is not None:
            root.removeHandler(self._stdout)
        if self._level_before is not None and root.level == self._level:
            root.setLevel(self._level_before)
        self._level_before = None
