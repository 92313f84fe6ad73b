"""
gunicorn's two loggers, which pass nothing up to the root logger.

aiohttp's worker for gunicorn has aiohttp's lines written there: the access line, and
"Error handling request".
"""

from __future__ import annotations

import logging

from otel_aiohttp_logs.output.stdout import shows_lines

_ACCESS = "gunicorn.access"
_LOGGERS = (_ACCESS, "gunicorn.error")


class GunicornLoggers:
    """
    Owner of *passing_on* on those loggers; what they write is left to gunicorn.

    A logger that the application made pass its records up hears it at the root.
    """

    def __init__(self, passing_on: logging.Handler) -> None:
        self._passing_on = passing_on
        self.writes_access_lines = False
        """Whether gunicorn shows access lines, so that we needn't show events."""

    def attach(self) -> None:
        self.writes_access_lines = False
        for logger in _existing():
            if logger.propagate:
                logger.removeHandler(self._passing_on)
                continue
            if logger.name == _ACCESS:
                others = (h for h in logger.handlers if h is not self._passing_on)
                self.writes_access_lines = any(map(shows_lines, others))
            if self._passing_on not in logger.handlers:
                logger.addHandler(self._passing_on)

    def detach(self) -> None:
        for logger in _existing():
            logger.removeHandler(self._passing_on)
        self.writes_access_lines = False


def _existing() -> list[logging.Logger]:
    """Return those that there are: to ask for one would make it."""
    known = map(logging.root.manager.loggerDict.get, _LOGGERS)
    return [logger for logger in known if isinstance(logger, logging.Logger)]
