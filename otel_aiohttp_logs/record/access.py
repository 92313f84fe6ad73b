"""
aiohttp's access lines, and what stands for them: one event a request.

aiohttp writes its line as text, makes it although nobody reads it, and writes none for
a client that went away. The event has the same as fields, and is written once for each
request, however it ended.
"""

from __future__ import annotations

import logging

from otel_aiohttp_logs.record.stamp import Stamped, StampedRecord
from otel_aiohttp_logs.scope.request import REQUEST

ACCESS_LOGGER = "aiohttp.access"
EVENT_NAME = "http.server.request"
# gunicorn's worker has aiohttp write to the logger of gunicorn's.
LOGGERS = frozenset({ACCESS_LOGGER, "gunicorn.access"})
_WRITER = "web_log"  # the module of aiohttp's AccessLogger


def is_replaced(record: logging.LogRecord) -> bool:
    """Tell whether *record* is a line of aiohttp's for which there is an event."""
    name = record.name
    # A record that was made elsewhere may have anything for a name.
    if type(name) is not str or name not in LOGGERS or record.module != _WRITER:
        return False
    return isinstance(record, Stamped) and REQUEST in (record.stamp or ())


class EventRecord(StampedRecord):
    """The log record that is a request's event: it goes out as ``EVENT_NAME``."""

    __slots__ = ()


class AccessLines:
    """
    Owner of the level of aiohttp's access logger.

    While nobody but us would hear its lines, and an event replaces them, aiohttp needs
    not make them: that takes it as long as a small request.
    """

    _MUTED = logging.CRITICAL + 1

    def __init__(self) -> None:
        self._logger = logging.getLogger(ACCESS_LOGGER)
        self._muted = False

    def mute(self) -> None:
        if self._logger.level == logging.NOTSET:
            self._logger.setLevel(self._MUTED)
            self._muted = True

    def unmute(self) -> None:
        """Put the level back, unless the application has set one since."""
        if self._muted and self._logger.level == self._MUTED:
            self._logger.setLevel(logging.NOTSET)
        self._muted = False

    def wants(self, level: int) -> bool:
        """Tell whether the application wants access lines of *level*."""
        logger = self._logger
        if not self._muted or logger.level != self._MUTED:
            return logger.isEnabledFor(level)
        parent = logger.parent or logging.root
        return parent.isEnabledFor(level) and not logger.disabled
