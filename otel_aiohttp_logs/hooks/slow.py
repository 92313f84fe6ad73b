"""
asyncio's debug line "Executing … took … seconds" has the ids of its request.

The loop writes it when the task or callback is done, outside of its context.
"""

from __future__ import annotations

import asyncio
import logging

from opentelemetry.context import get_current

from otel_aiohttp_logs.hooks.loop import context_of
from otel_aiohttp_logs.record.stamp import Stamped
from otel_aiohttp_logs.scope.request import REQUEST

_TEMPLATE = "Executing %s took %.3f seconds"


class SlowCallbacks:
    """Owner of a filter on the logger ``asyncio`` that keeps every record."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("asyncio")

    def put_on(self) -> None:
        self._logger.addFilter(_stamp_anew)

    def undo(self) -> None:
        self._logger.removeFilter(_stamp_anew)


def _stamp_anew(record: logging.LogRecord) -> bool:
    if record.msg == _TEMPLATE and isinstance(record, Stamped):
        # In debug mode it knows what it runs; uvloop doesn't say.
        loop = asyncio._get_running_loop()  # noqa: SLF001 (None instead of an error)
        handle = getattr(loop, "_current_handle", None)
        variables = None if handle is None else context_of(handle)
        context = get_current() if variables is None else variables.run(get_current)
        if REQUEST in context:
            record.remember(context)
    return True
