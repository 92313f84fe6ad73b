"""Our own way out: flat records to the exporting thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_aiohttp_logs._resource import process_attributes
from otel_aiohttp_logs.export.exporter import Exporter
from otel_aiohttp_logs.pipeline.limited import within
from otel_aiohttp_logs.span.limited import span_class
from otel_aiohttp_logs.span.sampling import sampler
from otel_aiohttp_logs.span.tracer import OwnTracerProvider, SpanPipeline

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from otel_aiohttp_logs._settings import Settings
    from otel_aiohttp_logs.export.settings import ExportSettings
    from otel_aiohttp_logs.export.stats import Stats
    from otel_aiohttp_logs.flat import FlatLog

# The one that the API is given: its global provider can be set only once.
PROVIDER = OwnTracerProvider()


class OwnPipeline:
    def __init__(self, settings: Settings) -> None:
        self.tracer_provider = PROVIDER
        self._settings = settings
        self._exporter = Exporter(
            # Asked again in a forked child, which is another process.
            resource=lambda: process_attributes(settings.resource),
            traces=_unless(settings.disabled, settings.traces),
            logs=_unless(settings.disabled, settings.logs),
        )
        put = self._exporter.emit_log
        emit = within(put, settings.record_limits)
        self.emit: Callable[[logging.LogRecord, FlatLog], None] = (
            self._exporter.pass_log if emit is put else lambda _, log: emit(log)
        )
        """Export a record; an outlet of log records."""

    def start(self) -> None:
        settings = self._settings
        if not settings.disabled:
            decide = sampler(settings.sampler, settings.sampler_ratio)
            sink = self._exporter.emit_span if settings.traces.enabled else None
            PROVIDER.pipeline = SpanPipeline(decide, sink, span_class(settings.limits))
        self._exporter.start()

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


def _unless(disabled: bool, settings: ExportSettings) -> ExportSettings:  # noqa: FBT001
    return settings._replace(enabled=settings.enabled and not disabled)
