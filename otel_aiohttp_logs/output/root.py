"""Our handlers on the root logger, and its level, put there and taken away again."""

from __future__ import annotations

import logging

from otel_aiohttp_logs.output.stdout import handled_elsewhere, stdout_handler


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

    def attach(self) -> None:
        """Put on what belongs there now; the application may have changed its mind."""
        root = logging.getLogger()
        # dictConfig takes every handler off that it doesn't know.
        if self._passing_on not in root.handlers:
            root.addHandler(self._passing_on)
        if self._configured(root):
            self._detach_stdout(root)
            return
        if self._stdout is not None and self._stdout not in root.handlers:
            root.addHandler(self._stdout)
        if root.level == logging.WARNING:  # as Python made it: nobody chose it
            self._level_before = root.level
            root.setLevel(self._level)

    def handle(self, record: logging.LogRecord) -> None:
        """Give *record* to our handlers alone, which are on the root logger."""
        root = logging.getLogger()
        for handler in (self._passing_on, self._stdout):
            if handler is not None and handler in root.handlers:
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
        self._detach_stdout(root)

    def _configured(self, root: logging.Logger) -> bool:
        ours = (self._passing_on, self._stdout)
        return any(
            handler not in ours and not isinstance(handler, logging.NullHandler)
            for handler in root.handlers
        )

    def _detach_stdout(self, root: logging.Logger) -> None:
        if self._stdout is not None:
            root.removeHandler(self._stdout)
        if self._level_before is not None and root.level == self._level:
            root.setLevel(self._level_before)
        self._level_before = None
