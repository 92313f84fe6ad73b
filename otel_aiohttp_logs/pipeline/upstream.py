"""
Upstream's handlers, the SDK's and contrib's, where the application has them already.

Each keeps its place, level, filters, formatter and provider; but what it exports is the
record as we made it: with all of its fields, the ids of the context that it was logged
in, and hostile values made safe. So each line goes out once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry._logs._internal import ProxyLoggerProvider
from opentelemetry.semconv.attributes.code_attributes import (
    CODE_FILE_PATH,
    CODE_FUNCTION_NAME,
    CODE_LINE_NUMBER,
)

from otel_aiohttp_logs.pipeline.provider import provider_outlet
from otel_aiohttp_logs.record.handler import OutletHandler, is_upstreams
from otel_aiohttp_logs.record.stamp import Stamped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry._logs import LoggerProvider

    from otel_aiohttp_logs.flat import FlatLog, Plain
    from otel_aiohttp_logs.record.handler import Outlet

    Filter = Callable[[logging.LogRecord], bool]


class UpstreamHandlers:
    """
    Owner of the filters by which we stand in for them.

    Without *access_lines* they don't get those of aiohttp's that an event replaces.
    """

    def __init__(self, *, access_lines: bool = True) -> None:
        self._access_lines = access_lines
        self._filters: dict[logging.Handler, Filter] = {}
        self._at_root: list[LoggerProvider] = []
        self._elsewhere: list[LoggerProvider] = []

    def take_over(self) -> None:
        """Stand in for those that there are by now."""
        self._at_root, self._elsewhere = [], []
        for logger, handler in _handlers():
            provider = _exports_to(handler)
            if provider is None:
                continue
            at_root = logger is logging.root
            (self._at_root if at_root else self._elsewhere).append(provider)
            if handler not in self._filters:
                self._filters[handler] = stand_in = self._stand_in(handler, provider)
                handler.addFilter(stand_in)

    def give_back(self) -> None:
        """Let them export by themselves again."""
        for handler, stand_in in self._filters.items():
            handler.removeFilter(stand_in)
        self._filters.clear()

    def beside(self, outlet: Outlet, given: LoggerProvider | None) -> Outlet:
        """
        Return *outlet* for the records that don't go out through them.

        Those are the records of other loggers, and of loggers that pass nothing up,
        such as gunicorn's. If the application named a provider itself, *given*, only
        what goes to that one counts.
        """
        at_root = _among(given, self._at_root)
        if not at_root and not _among(given, self._elsewhere):
            return outlet
        if at_root and given is None:
            outlet = provider_outlet(self._at_root[0])

        def emit_the_rest(record: logging.LogRecord, log: FlatLog) -> None:
            if at_root and _reaches_root(record.name):
                return
            if not _among(given, _passed_to(record)):
                outlet(record, log)

        return emit_the_rest

    def _stand_in(self, handler: logging.Handler, provider: LoggerProvider) -> Filter:
        """Return a filter that lets nothing through: it has exported it by then."""
        exporting = OutletHandler(access_lines=self._access_lines)
        exporting.outlets = (_in_its_way(handler, provider_outlet(provider)),)
        # Not a class of the application's own: that may do something else.
        ours = type(handler).__module__.startswith("opentelemetry.")

        def stand_in(record: logging.LogRecord) -> bool:
            before = _passed_to(record)
            if _among(provider, before) or exporting.leaves_out(record):
                return False
            if isinstance(record, Stamped):
                record.passed_to = (*before, provider)
            if ours:
                exporting.emit(record)
            return not ours

        return stand_in


def _handlers() -> Iterator[tuple[logging.Logger, logging.Handler]]:
    known = list(logging.root.manager.loggerDict.values())
    for logger in (logging.root, *known):
        if isinstance(logger, logging.Logger):  # not a mere place in the tree
            for handler in list(logger.handlers):
                yield logger, handler


def _reaches_root(name: object) -> bool:
    if type(name) is not str:  # of a record that was made elsewhere
        return True
    logger = logging.root.manager.loggerDict.get(name)
    while isinstance(logger, logging.Logger) and logger.parent is not None:
        if not logger.propagate:
            return False
        logger = logger.parent
    return True


def _exports_to(handler: logging.Handler) -> LoggerProvider | None:
    """Return the provider of one of upstream's; None if its records go nowhere."""
    if not is_upstreams(handler):
        return None
    provider = getattr(handler, "_logger_provider", None)
    if isinstance(provider, ProxyLoggerProvider):  # made before anybody set one
        provider = _logs.get_logger_provider()
    nowhere = provider is None or isinstance(
        provider, (NoOpLoggerProvider, ProxyLoggerProvider)
    )
    return None if nowhere else provider


def _in_its_way(handler: Any, emit: Outlet) -> Outlet:
    """Return *emit* with what *handler* is set to add: its format, the code's place."""
    # The SDK's always adds it; contrib's has an option.
    with_code = getattr(handler, "_log_code_attributes", True)

    def emit_in_its_way(record: logging.LogRecord, log: FlatLog) -> None:
        if with_code:
            place: dict[str, Plain] = {
                CODE_FILE_PATH: record.pathname,
                CODE_FUNCTION_NAME: record.funcName,
                CODE_LINE_NUMBER: record.lineno,
            }
            log = log._replace(attributes={**place, **log.attributes})
        if handler.formatter is not None:
            log = log._replace(body=handler.format(record))
        emit(record, log)

    return emit_in_its_way


def _passed_to(record: logging.LogRecord) -> tuple[LoggerProvider, ...]:
    return getattr(record, "passed_to", ())


def _among(
    given: LoggerProvider | None, providers: tuple[LoggerProvider, ...] | list[Any]
) -> bool:
    return bool(providers) if given is None else any(p is given for p in providers)
