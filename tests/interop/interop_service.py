"""
A shop that has OpenTelemetry in one way or another: a process of its own.

``python interop_service.py FILE STEP STEP …`` does the steps in their order, serves
until its stdin is closed, and writes what a handler of the application saw to FILE.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

import aiohttp
from aiohttp import web
from opentelemetry import _logs, metrics, trace

PROVIDER = web.AppKey("PROVIDER", object)
log = logging.getLogger("shop")
NAMES = ("trace_id", "span_id", "trace_flags", "request_id")
ALIASES = ("otelTraceID", "otelSpanID", "otelTraceSampled", "otelServiceName")


class Seen(logging.NullHandler):
    """The application's own; by its class none that keeps our lines from stdout."""

    def __init__(self):
        super().__init__()
        self.records = []

    def handle(self, record):
        seen = {"message": record.getMessage(), "logger": record.name}
        for name in (*NAMES, *ALIASES):
            if hasattr(record, name):
                # As a format string finds it.
                seen[name] = logging.Formatter(f"%({name})s").format(record)
        self.records.append(seen)
        return True


async def ok(request):
    number = request.match_info["n"]
    log.info("ok %s", number, extra={"item": f"tea-{number}"})
    current = trace.get_current_span().get_span_context()
    tracer = trace.get_tracer("shop", tracer_provider=request.config_dict[PROVIDER])
    with tracer.start_as_current_span(f"inner {number}"):
        log.info("inner %s", number)
    return web.json_response(
        {
            "trace_id": f"{current.trace_id:032x}",
            "span_id": f"{current.span_id:016x}",
            "request_id": request["request_id"],
        }
    )


async def fail(request):
    log.info("fail %s", request.match_info["n"])
    raise RuntimeError("no stock")


async def call(request):
    log.info("call %s", request.match_info["n"])
    url = f"http://{request.host}/ok/{request.match_info['n']}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return web.json_response(await response.json())


class Steps:
    """What an application may do before it serves, each once."""

    def __init__(self):
        self.app = self.sub = None

    def app_made(self):
        routes = [web.get("/ok/{n}", ok), web.get("/fail/{n}", fail)]
        self.app, self.sub = web.Application(), web.Application()
        self.app[PROVIDER] = None  # the global one
        self.app.add_routes([*routes, web.get("/call/{n}", call)])
        self.sub.add_routes(routes)

    def ours(self, **options):
        from otel_aiohttp_logs import instrument_app

        instrument_app(self.app, **options)

    def ours_for_sub(self):
        from otel_aiohttp_logs import instrument_app

        instrument_app(self.sub)

    def ours_sdk(self):
        self.ours(pipeline="sdk")

    def ours_given(self):
        provider = self.app[PROVIDER] = self.tracer_provider()
        self.ours(tracer_provider=provider, logger_provider=self.logger_provider())

    def ours_given_tracer(self):
        provider = self.app[PROVIDER] = self.tracer_provider()
        self.ours(tracer_provider=provider)

    def ours_given_logger(self):
        self.ours(logger_provider=self.logger_provider())

    def tracer_provider(self):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return provider

    def logger_provider(self):
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        provider = LoggerProvider()
        provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        return provider

    def sdk_traces(self):
        trace.set_tracer_provider(self.tracer_provider())

    def sdk_logs(self):
        _logs.set_logger_provider(self.logger_provider())

    def sdk_metrics(self):
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
            OTLPMetricExporter,
        )
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        reader = PeriodicExportingMetricReader(OTLPMetricExporter(), 60_000)
        metrics.set_meter_provider(MeterProvider([reader]))

    def sdk_handler(self, logger=None):
        from opentelemetry.sdk._logs import LoggingHandler

        logging.getLogger(logger).addHandler(LoggingHandler())

    def sdk_handler_on_shop(self):
        self.sdk_handler("shop")

    def contrib_server(self):
        from opentelemetry.instrumentation.aiohttp_server import (
            AioHttpServerInstrumentor,
        )

        AioHttpServerInstrumentor().instrument()

    def contrib_client(self):
        from opentelemetry.instrumentation.aiohttp_client import (
            AioHttpClientInstrumentor,
        )

        AioHttpClientInstrumentor().instrument()

    def contrib_logging(self, **options):
        from opentelemetry.instrumentation.logging import LoggingInstrumentor

        LoggingInstrumentor().instrument(**options)

    def contrib_logging_ids(self):
        self.contrib_logging(inject_trace_context=True)


async def serve(app):
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"PORT {runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


def main(file, *names):
    seen = Seen()
    logging.getLogger().addHandler(seen)
    steps = Steps()
    for name in names:
        getattr(steps, name)()
    steps.app.add_subapp("/sub", steps.sub)
    asyncio.run(serve(steps.app))
    Path(file).write_text(json.dumps(seen.records))


if __name__ == "__main__":
    main(*sys.argv[1:])
