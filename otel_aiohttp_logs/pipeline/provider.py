"""Log lines into a LoggerProvider: the application's own, or the SDK's."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

from otel_aiohttp_logs.record.stamp import context_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.context import Context

    from otel_aiohttp_logs.flat import FlatLog


def provider_outlet(
    provider: LoggerProvider,
) -> Callable[[logging.LogRecord, FlatLog], None]:
    """Return the outlet that emits each line through the logger of its name."""
    logger_named = lru_cache(maxsize=1024)(provider.get_logger)
    busy = threading.local()

    def emit(record: logging.LogRecord, log: FlatLog) -> None:
        # What a provider logs while it emits would make it log again: the SDK warns of
        # each attribute that a limit leaves out.
        if getattr(busy, "emitting", False):
            return
        busy.emitting = True
        try:
            emit_one(record, log)
        finally:
            busy.emitting = False

    def emit_one(record: logging.LogRecord, log: FlatLog) -> None:
        emitted = LogRecord(
            timestamp=log.time_ns,
            observed_timestamp=log.time_ns,
            context=_context_of(record, log),
            severity_text=log.severity_text,
            severity_number=SeverityNumber(log.severity_number),
            body=log.body,
            attributes=dict(log.attributes),
            event_name=log.event_name or None,
        )
        logger_named(log.logger).emit(emitted)

    return emit


def _context_of(record: logging.LogRecord, log: FlatLog) -> Context:
    context = context_of(record)
    # Without a span a context may be empty, and the API takes the current one for it:
    # that of whoever happens to handle the record.
    return context if log.trace_id else set_span_in_context(INVALID_SPAN, context)
