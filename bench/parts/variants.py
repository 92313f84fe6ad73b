"""
The ways to run one and the same service: as it is, with us, with upstream's parts.

Each function is called in the service's process, before the application is made, and
returns what the application is passed to, and what sends the rest of what is queued.
"""
# ruff: noqa: PLC0415 - each variant pays for its own imports only

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.trace import TracerProvider

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Variant(NamedTuple):
    instrument: Callable[[web.Application], None]
    flush: Callable[[], object]
    dropped: Callable[[], int] = lambda: 0
    """How many records it says that it has dropped, if it says so."""


def bare() -> Variant:
    """Plain lines through the standard library, no ids, nothing exported."""
    logging.basicConfig(
        stream=sys.stdout,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    return Variant(lambda _: None, lambda: None)


def hooks() -> Variant:
    """aiohttp's own ways in, with nothing behind them: no library can cost less."""
    return Variant(_hooked, bare().flush)


def silent() -> Variant:
    """Log to a handler that does nothing, and have no access line."""

    class Nowhere(logging.Handler):
        def handle(self, _: logging.LogRecord) -> bool:
            return True

    logging.basicConfig(handlers=[Nowhere()], level=logging.INFO)
    logging.getLogger("aiohttp.access").disabled = True
    return Variant(lambda _: None, lambda: None)


def middleware() -> Variant:
    return Variant(_with_middleware, silent().flush)


def callback() -> Variant:
    """A middleware that has the task of the request tell of its end."""
    return Variant(_with_callback, silent().flush)


def signal() -> Variant:
    """The same, and a receiver of ``on_response_prepare``: these are the ``hooks``."""
    return Variant(_hooked, silent().flush)


def _with_middleware(app: web.Application) -> None:
    from aiohttp import web

    @web.middleware
    async def pass_on(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request)

    app.middlewares.append(pass_on)


def _with_callback(app: web.Application) -> None:
    import asyncio

    from aiohttp import web

    @web.middleware
    async def pass_on(request: web.Request, handler: Handler) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(_nothing)
        return await handler(request)

    app.middlewares.append(pass_on)


def _hooked(app: web.Application) -> None:
    async def on_response_prepare(*_: object) -> None:
        pass

    _with_callback(app)
    app.on_response_prepare.append(on_response_prepare)


def _nothing(_: object) -> None:
    pass


def stamped() -> Variant:
    """Ours without an outlet of its own: the records have ids and go nowhere."""
    silent()
    return _ours("own", output="none", access_log="none")


def ours() -> Variant:
    """JSON lines on stdout, and lines and spans over OTLP."""
    return _ours("own")


def ours_sdk() -> Variant:
    return _ours("sdk")


def ours_app() -> Variant:
    """Ours in an application that has set up upstream's SDK itself."""
    from opentelemetry import _logs, trace

    spans, logs = _providers()
    trace.set_tracer_provider(spans)
    _logs.set_logger_provider(logs)
    instrument = _ours("own").instrument
    return Variant(instrument, lambda: _flush(spans, logs))


def _ours(
    pipeline: str, output: str = "json", access_log: str | None = None
) -> Variant:
    from otel_aiohttp_logs import flush, instrument_app, stats

    def instrument(app: web.Application) -> None:
        instrument_app(app, pipeline=pipeline, output=output, access_log=access_log)

    def dropped() -> int:
        counts = stats()
        return sum((*counts.logs.dropped.values(), *counts.spans.dropped.values()))

    return Variant(instrument, lambda: flush(30), dropped)


def upstream() -> Variant:
    """
    Both of upstream's instrumentations as their pages show them, and SDK and exporters.

    Of the logging one: its own handler (which follows the SDK's deprecated one) and
    its own format, which has the ids.
    """
    from opentelemetry import _logs, trace
    from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor
    from opentelemetry.instrumentation.logging import LoggingInstrumentor
    from opentelemetry.instrumentation.logging.constants import DEFAULT_LOGGING_FORMAT

    spans, logs = _providers()
    trace.set_tracer_provider(spans)
    _logs.set_logger_provider(logs)
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format=DEFAULT_LOGGING_FORMAT
    )
    LoggingInstrumentor().instrument(inject_trace_context=True)
    AioHttpServerInstrumentor().instrument()  # from now on each Application has it
    return Variant(lambda _: None, lambda: _flush(spans, logs))


def _providers() -> tuple[TracerProvider, LoggerProvider]:
    """The SDK's, with batch processors and exporters over OTLP/HTTP."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    spans, logs = TracerProvider(), LoggerProvider()
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    return spans, logs


def _flush(spans: TracerProvider, logs: LoggerProvider) -> bool:
    return spans.force_flush(30_000) and logs.force_flush(30_000)


VARIANTS: dict[str, Callable[[], Variant]] = {
    "bare": bare,
    "hooks": hooks,
    "silent": silent,
    "middleware": middleware,
    "callback": callback,
    "signal": signal,
    "stamped": stamped,
    "ours": ours,
    "ours-sdk": ours_sdk,
    "ours-app": ours_app,
    "upstream": upstream,
}
