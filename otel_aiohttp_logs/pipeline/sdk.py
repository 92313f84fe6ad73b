"""
The other way out: upstream's providers, batch processors and exporters.

For those whose rules ask for upstream's own parts. Everything of the SDK is imported
here, inside of functions, because importing it costs start-up time that the own
pipeline doesn't want to pay.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING

from otel_aiohttp_logs._resource import process_attributes
from otel_aiohttp_logs.export.stats import Stats
from otel_aiohttp_logs.pipeline.provider import provider_outlet

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LogRecordProcessor
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_aiohttp_logs._settings import Settings
    from otel_aiohttp_logs.export.settings import ExportSettings
    from otel_aiohttp_logs.flat import FlatLog

log = logging.getLogger("otel_aiohttp_logs.export")


def check_installed() -> None:
    """Raise ``ValueError`` with the remedy unless upstream's exporters are there."""
    try:
        import opentelemetry.exporter.otlp.proto.http  # noqa: F401
    except ImportError:
        msg = (
            'pipeline="sdk" needs opentelemetry-exporter-otlp, which is not installed: '
            "run pip install 'otel-aiohttp-logs[otlp]', or leave pipeline out."
        )
        raise ValueError(msg) from None


class SdkPipeline:
    def __init__(self, settings: Settings) -> None:
        from opentelemetry.sdk.resources import Resource

        from otel_aiohttp_logs.pipeline.staying import providers

        # Resource() instead of create(): the latter would read the variables again.
        resource = Resource(process_attributes(settings.resource))
        self._settings = settings
        self.tracer_provider, self.logger_provider = providers(resource)
        self._emit = provider_outlet(self.logger_provider)
        self._spans: list[SpanProcessor] = []
        self._lines: list[LogRecordProcessor] = []

    def start(self) -> None:
        from opentelemetry.sdk._logs import export as log_export
        from opentelemetry.sdk.trace import export as trace_export

        if self._settings.disabled:
            return
        traces, logs = self._settings.traces, self._settings.logs
        if traces.enabled:
            exporter = _span_exporter(traces)
            self._spans.append(trace_export.BatchSpanProcessor(exporter))
        if traces.console:
            console = trace_export.ConsoleSpanExporter(out=sys.stdout)
            self._spans.append(trace_export.SimpleSpanProcessor(console))
        if logs.enabled:
            sender = _log_exporter(logs)
            self._lines.append(log_export.BatchLogRecordProcessor(sender))
        if logs.console:
            printer = log_export.ConsoleLogRecordExporter(out=sys.stdout)
            self._lines.append(log_export.SimpleLogRecordProcessor(printer))
        for spans in self._spans:
            self.tracer_provider.processors.add(spans)
        for lines in self._lines:
            self.logger_provider.processors.add(lines)

    def emit(self, record: logging.LogRecord, log: FlatLog) -> None:
        self._emit(record, log)

    def flush(self, timeout: float) -> bool:
        millis = int(timeout * 1000)
        spans = self.tracer_provider.force_flush(millis)
        return self.logger_provider.force_flush(millis) and spans

    def stop(self) -> None:
        """Nothing to stop: what comes between is still sent."""

    def close(self, timeout: float) -> None:
        """Shut the processors down, side by side, for *timeout* seconds at most."""
        for spans in self._spans:
            self.tracer_provider.processors.remove(spans)
        for lines in self._lines:
            self.logger_provider.processors.remove(lines)
        shutdowns = [spans.shutdown for spans in self._spans]
        shutdowns += [lines.shutdown for lines in self._lines]
        closing = [threading.Thread(target=end, daemon=True) for end in shutdowns]
        for thread in closing:
            thread.start()
        deadline = time.monotonic() + timeout
        for thread in closing:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in closing):
            log.warning(
                "The SDK's exporters did not end within %g s: what they hold is lost.",
                timeout,
            )

    def stats(self) -> Stats:
        """Empty: the SDK doesn't say what it exported and dropped."""
        return Stats()


# Upstream takes the variables' milliseconds for seconds, so it isn't let read them.
def _span_exporter(settings: ExportSettings) -> SpanExporter:
    if settings.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc

        return grpc.OTLPSpanExporter(timeout=settings.timeout)
    from opentelemetry.exporter.otlp.proto.http import trace_exporter as http

    return http.OTLPSpanExporter(timeout=settings.timeout)


def _log_exporter(settings: ExportSettings) -> LogRecordExporter:
    if settings.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc

        return grpc.OTLPLogExporter(timeout=settings.timeout)
    from opentelemetry.exporter.otlp.proto.http import _log_exporter as http

    return http.OTLPLogExporter(timeout=settings.timeout)
