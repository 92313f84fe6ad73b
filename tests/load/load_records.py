"""Ways to say something that another thread, or a later moment, handles."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

from otel_aiohttp_logs import JSONFormatter


class Records:
    """As ``load_ways.Ways``: coroutine functions of (number, what)."""

    def __init__(self) -> None:
        records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._listener = logging.handlers.QueueListener(records, ToBoth())
        self._listener.start()
        self._queued = deaf("load.queued", logging.handlers.QueueHandler(records))
        self._pool = ThreadPoolExecutor(1)
        self._passed = deaf("load.passed", PassingOn(self._pool))
        # Written when it's full, by whoever comes last; the rest at the end.
        self._memory = logging.handlers.MemoryHandler(7, target=ToBoth())
        self._kept = deaf("load.kept", self._memory)

    def close(self) -> None:
        self._listener.stop()
        self._pool.shutdown()
        self._memory.close()

    async def queued(self, number, what):
        self._queued.info("~%s~ %s", number, what)

    async def passed(self, number, what):
        self._passed.info("~%s~ %s", number, what)

    async def kept(self, number, what):
        self._kept.info("~%s~ %s", number, what)

    async def warned(self, number, what):
        warnings.warn(f"~{number}~ {what}", UserWarning, stacklevel=1)


class ToBoth(logging.StreamHandler):
    """
    Writes each record to stdout, and gives it to the root logger's handlers.

    Ours for stdout is silent there, because the application has a handler.
    """

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.setFormatter(JSONFormatter())

    def emit(self, record):
        super().emit(record)
        logging.getLogger().handle(record)


class PassingOn(logging.Handler):
    """Has each record handled in another thread."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        super().__init__()
        self._pool = pool
        self._to_both = ToBoth()

    def emit(self, record):
        self._pool.submit(self._to_both.handle, record)


def deaf(name: str, handler: logging.Handler) -> logging.Logger:
    """Return a logger that has *handler* and no others."""
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.propagate = False
    return logger
