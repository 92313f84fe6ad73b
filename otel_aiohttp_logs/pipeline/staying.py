"""
The SDK's providers that stay for the life of the process: their processors come and go.

The API takes a global provider once, and one of the SDK's that was shut down drops
whatever comes. A process whose application ends and starts again would lose all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, Span

P = TypeVar("P", SpanProcessor, LogRecordProcessor)


class _Processors(Generic[P]):
    def __init__(self) -> None:
        self._all: tuple[P, ...] = ()

    def add(self, processor: P) -> None:
        self._all += (processor,)

    def remove(self, processor: P) -> None:
        self._all = tuple(p for p in self._all if p is not processor)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        flushed = [processor.force_flush(timeout_millis) for processor in self._all]
        return all(flushed)

    def shutdown(self) -> None:
        """Nothing: each one is shut down by whoever added it."""


class SpanProcessors(_Processors[SpanProcessor], SpanProcessor):
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        for processor in self._all:
            processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        for processor in self._all:
            processor.on_end(span)


class LineProcessors(_Processors[LogRecordProcessor], LogRecordProcessor):
    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        for processor in self._all:
            processor.on_emit(log_record)


class StayingTracerProvider(TracerProvider):
    def __init__(self, resource: Resource) -> None:
        super().__init__(resource=resource, shutdown_on_exit=False)
        self.processors = SpanProcessors()
        self.add_span_processor(self.processors)


class StayingLoggerProvider(LoggerProvider):
    def __init__(self, resource: Resource) -> None:
        super().__init__(resource=resource, shutdown_on_exit=False)
        self.processors = LineProcessors()
        self.add_log_record_processor(self.processors)


def providers(
    resource: Resource,
) -> tuple[StayingTracerProvider, StayingLoggerProvider]:
    """Return those that we made global earlier, or new ones."""
    traces, logs = trace.get_tracer_provider(), _logs.get_logger_provider()
    return (
        traces
        if isinstance(traces, StayingTracerProvider)
        else StayingTracerProvider(resource),
        logs
        if isinstance(logs, StayingLoggerProvider)
        else StayingLoggerProvider(resource),
    )
