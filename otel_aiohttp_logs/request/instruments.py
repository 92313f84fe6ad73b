"""What serving requests needs of the other stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from opentelemetry.trace import SpanKind

from otel_aiohttp_logs.span.tracer import OwnTracer

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

    from otel_aiohttp_logs.request.event import Events
    from otel_aiohttp_logs.request.metrics import ServerMetrics
    from otel_aiohttp_logs.request.request_id import RequestIds
    from otel_aiohttp_logs.request.tally import Tally
    from otel_aiohttp_logs.span.propagation import Extractor

StartSpan: TypeAlias = "Callable[[str, Context, dict[str, Any], int], Span]"


@dataclass(eq=False, repr=False)  # what it has none of takes no time to import
class Instruments:
    """What serving needs of the rest: settled once, before the first request."""

    tracer: Tracer
    start_span: StartSpan
    """Of the tracer; see ``span_starter``."""
    extract: Extractor
    websocket_spans: bool
    request_ids: RequestIds
    events: Events | None
    tally: Tally
    metrics: ServerMetrics | None = None
    """None if nobody set a MeterProvider."""
    span_begun: Callable[[], Span | None] | None = None
    """Finds the request's span if another instrumentation began one."""


def span_starter(tracer: Tracer) -> StartSpan:
    """Return what starts the span of a request: our own tracer has a short way."""
    if isinstance(tracer, OwnTracer):
        return tracer.start_request_span

    def start(
        name: str, context: Context, attributes: dict[str, Any], start_time: int
    ) -> Span:
        return tracer.start_span(
            name, context, SpanKind.SERVER, attributes, start_time=start_time
        )

    return start
