"""Which signals go out through providers that the application set by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import _logs, trace
from opentelemetry._logs._internal import ProxyLoggerProvider

from otel_aiohttp_logs.span.tracer import OwnTracerProvider

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.trace import TracerProvider


def signals_of_theirs(
    tracer_provider: TracerProvider | None, logger_provider: LoggerProvider | None
) -> frozenset[str]:
    """
    Return TRACES, LOGS, both or none: those given to us, and those set globally.

    Theirs may be made by variables that mean nothing to us.
    """
    traces = tracer_provider or trace.get_tracer_provider()
    logs = logger_provider or _logs.get_logger_provider()
    nobodys = (trace.ProxyTracerProvider, OwnTracerProvider, ProxyLoggerProvider)
    both = {"TRACES": traces, "LOGS": logs}
    return frozenset(s for s, p in both.items() if not isinstance(p, nobodys))
