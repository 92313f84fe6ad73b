"""What serving requests needs of the other stages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from opentelemetry.trace import SpanKind

from otel_aiohttp_logs.request.twins import compiled_begin
from otel_aiohttp_logs.span.tracer import OwnTracer

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web
    from multidict import CIMultiDictProxy
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

    from otel_aiohttp_logs.request.event import Events
    from otel_aiohttp_logs.request.metrics import ServerMetrics
    from otel_aiohttp_logs.request.request_id import RequestIds
    from otel_aiohttp_logs.request.serve import ServedRequest
    from otel_aiohttp_logs.request.tally import Tally

StartSpan: TypeAlias = "Callable[[str, Context, dict[str, Any], int], Span]"


@dataclass(eq=False, repr=False)  # what it has none of takes no time to import
class Instruments:
    """What serving needs of the rest: settled once, before the first request."""

    tracer: Tracer
    start_span: StartSpan
    """Of the tracer; see ``span_starter``."""
    extract: Callable[[CIMultiDictProxy[str]], Context]
    websocket_spans: bool
    request_ids: RequestIds
    events: Events | None
    tally: Tally
    metrics: ServerMetrics | None = None
    """None if nobody set a MeterProvider."""
    span_begun: Callable[[], Span | None] | None = None
    """Finds the request's span if another instrumentation began one."""

    @cached_property
    def compiled_begin(self) -> Callable[[web.Request], ServedRequest | None] | None:
        # serve needs this module.
        from otel_aiohttp_logs.request.serve import ServedRequest  # noqa: PLC0415

        return compiled_begin(self, ServedRequest)


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
