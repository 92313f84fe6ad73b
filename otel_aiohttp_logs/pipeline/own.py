"""Our own way out: flat records to the exporting thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_aiohttp_logs._resource import process_attributes
from otel_aiohttp_logs.export.exporter import Exporter
from otel_aiohttp_logs.span.sampling import sampler
from otel_aiohttp_logs.span.tracer import OwnTracerProvider, SpanPipeline

if TYPE_CHECKING:
    import logging

    from otel_aiohttp_logs._settings import Settings
    from otel_aiohttp_logs.export.stats import Stats
    from otel_aiohttp_logs.flat import FlatLog, FlatSpan

# The one that the API is given: its global provider can be set only once.
PROVIDER = OwnTracerProvider()


class OwnPipeline:
    def __init__(self, settings: Settings) -> None:
        self.tracer_provider = PROVIDER
        self._settings = settings
        self._exporter = Exporter(
            resource=process_attributes(settings.resource),
            traces=settings.traces,
            logs=settings.logs,
        )

    def start(self) -> None:
        settings = self._settings
        if settings.disabled:
            return
        sink = self._exporter.emit_span if settings.traces.enabled else _discard
        PROVIDER.pipeline = SpanPipeline(
            sampler(settings.sampler, settings.sampler_ratio), sink
        )
        self._exporter.start()

    def emit(self, _: logging.LogRecord, log: FlatLog) -> None:
        if self._settings.logs.enabled and not self._settings.disabled:
            self._exporter.emit_log(log)

    def muted_thread(self) -> int | None:
        return self._exporter.thread_id

    def flush(self, timeout: float) -> bool:
        return self._exporter.flush(timeout)

    def stop(self) -> None:
        """Make no more spans; the records that are queued stay."""
        PROVIDER.pipeline = None

    def close(self, timeout: float) -> None:
        """Send what is queued, for *timeout* seconds at most. Blocks."""
        self._exporter.close(timeout)

    def stats(self) -> Stats:
        return self._exporter.stats()


def _discard(_: FlatSpan) -> None:
    """Sink of ``OTEL_TRACES_EXPORTER=none``: spans live, and go nowhere."""
