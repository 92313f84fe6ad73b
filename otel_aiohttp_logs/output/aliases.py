"""
The ids by contrib's names, for the formatters of the application that ask for them.

``opentelemetry-instrumentation-logging`` puts them on each record. A format string that
was written for it works without it, and no other record has them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from otel_aiohttp_logs.record.fields import ALIASES
from otel_aiohttp_logs.record.stamp import ids_of

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = frozenset(ALIASES)


class Aliases:
    """Owner of the filters by which handlers show them."""

    def __init__(self, service_name: str) -> None:
        self._show = _showing(service_name)

    def ensure(self) -> None:
        """Show them from now on, where a formatter asks for one."""
        for handler in _handlers():
            if self._show not in handler.filters and _asks(handler.formatter):
                handler.addFilter(self._show)

    def undo(self) -> None:
        for handler in _handlers():
            handler.removeFilter(self._show)


def _handlers() -> list[logging.Handler]:
    known = list(logging.root.manager.loggerDict.values())
    return [
        handler
        for logger in (logging.root, *known)
        if isinstance(logger, logging.Logger)  # not a mere place in the tree
        for handler in logger.handlers
    ]


def _asks(formatter: logging.Formatter | None) -> bool:
    form = str(getattr(formatter, "_fmt", ""))
    return any(name in form for name in ALIASES)


def _sampled(flags: object) -> bool:
    try:
        return bool(int(str(flags), 16) & 1)
    except ValueError:  # None, or what somebody else put on the record
        return False


def _showing(service_name: str) -> Callable[[logging.LogRecord], bool]:
    def show(record: logging.LogRecord) -> bool:
        fields = vars(record)
        if not fields.keys() >= _NAMES:  # contrib's are there already
            ids = ids_of(record)
            values = (
                "0" if ids.trace_id is None else ids.trace_id,
                "0" if ids.span_id is None else ids.span_id,
                _sampled(ids.trace_flags),
                service_name,
            )
            for name, value in zip(ALIASES, values, strict=True):
                fields.setdefault(name, value)
        return True

    return show
