"""Whose providers get the spans and the lines, and what is switched off."""

from __future__ import annotations

import asyncio
import logging
import logging.config

import pytest
from aiohttp import web
from opentelemetry import _logs, trace
from opentelemetry import context as otel_context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_aiohttp_logs import flush, instrument_app, stats

log = logging.getLogger("shop")


async def ok(request):
    log.info("handling")
    with trace.get_tracer("shop").start_as_current_span("inner"):
        return web.Response(text="ok")


def app_with_ok():
    app = web.Application()
    app.router.add_get("/", ok)
    return app


def in_memory():
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    resource = Resource({"service.name": "theirs"})
    tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
    logger_provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    return spans, logs, tracer_provider, logger_provider


async def check_theirs(client, spans, logs):
    response = await client.get("/")
    await client.close()

    inner, served = spans.get_finished_spans()
    (line,) = [x for x in logs.get_finished_logs() if x.log_record.body == "handling"]
    assert served.attributes["request_id"] == response.headers["X-Request-ID"]
    assert inner.parent.span_id == served.context.span_id
    assert served.resource.attributes["service.name"] == "theirs"
    assert line.log_record.trace_id == served.context.trace_id
    assert line.log_record.span_id == served.context.span_id
    assert line.instrumentation_scope.name == "shop"
    assert line.log_record.severity_text == "INFO"


@pytest.mark.parametrize("when", ["before", "after", "at start"])
async def test_the_applications_global_providers_are_used(
    serve, quick_export, collector, records, pipeline, when
):
    """Set before or after the call, or while starting: theirs get all, ours nothing."""
    spans, logs, tracer_provider, logger_provider = in_memory()

    async def set_providers(_=None):
        trace.set_tracer_provider(tracer_provider)
        _logs.set_logger_provider(logger_provider)

    app = app_with_ok()
    if when == "before":
        await set_providers()
    instrument_app(app, pipeline=pipeline)
    if when == "after":
        await set_providers()
    elif when == "at start":
        app.on_startup.append(set_providers)
    client = await serve(app)

    await check_theirs(client, spans, logs)
    assert collector.spans == []
    assert [line.body for line in collector.logs if line.scope == "shop"] == []


async def test_given_providers_are_used(serve, quick_export, collector, records):
    """tracer_provider and logger_provider go before the global ones."""
    spans, logs, tracer_provider, logger_provider = in_memory()
    trace.set_tracer_provider(tracer_provider)
    app = app_with_ok()
    instrument_app(
        app, tracer_provider=tracer_provider, logger_provider=logger_provider
    )

    await check_theirs(await serve(app), spans, logs)
    assert (collector.spans, collector.logs) == ([], [])


async def test_the_applications_sampler_is_heard(serve, quick_export, records):
    """A provider that samples nothing exports nothing; the ids are there."""
    spans = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    app = app_with_ok()
    instrument_app(app, tracer_provider=provider)
    client = await serve(app)
    await client.get("/")

    (line,) = [r for r in records if r.name == "shop"]
    assert spans.get_finished_spans() == ()
    assert len(line.trace_id) == 32


async def test_upstreams_logging_handler_is_not_doubled(
    serve, quick_export, collector, records
):
    """If upstream's LoggingHandler exports the records already, we don't as well."""
    from opentelemetry.sdk._logs import LoggingHandler

    _, logs, _, logger_provider = in_memory()
    handler = LoggingHandler(logger_provider=logger_provider)
    logging.getLogger().addHandler(handler)
    try:
        app = app_with_ok()
        instrument_app(app)
        client = await serve(app)
        await client.get("/")
        await client.close()
    finally:
        logging.getLogger().removeHandler(handler)

    bodies = [x.log_record.body for x in logs.get_finished_logs()]
    assert bodies.count("handling") == 1
    assert collector.logs == []


async def test_the_exporters_own_lines_are_not_exported(
    serve, quick_export, collector, records
):
    """A refused batch makes a line, and that line must not make a batch."""
    collector.fail_next(400, times=2)
    app = app_with_ok()
    instrument_app(app)
    client = await serve(app)
    await client.get("/")
    said = "otel_aiohttp_logs.export"
    await collector.wait_until(lambda: any(r.name == said for r in records))
    await client.get("/")
    await client.close()

    assert said not in {line.scope for line in collector.logs}


async def test_the_end_is_bounded_and_says_what_is_lost(
    serve, quick_export, collector, records, monkeypatch, pipeline
):
    """A Collector that hangs holds the end up for 5 s at most, on both ways out."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "60000")
    collector.hang_next(20, times=20)
    app = app_with_ok()
    instrument_app(app, pipeline=pipeline)
    client = await serve(app)
    await client.get("/")
    begun = asyncio.get_running_loop().time()
    await client.close()
    seconds = asyncio.get_running_loop().time() - begun

    said = [r for r in records if r.name == "otel_aiohttp_logs.export"]
    assert any("lost" in record.getMessage() for record in said)
    assert seconds < 7


@pytest.mark.parametrize("signal", ["TRACES", "LOGS"])
async def test_a_signal_can_be_switched_off(
    serve, quick_export, collector, records, monkeypatch, pipeline, signal
):
    """OTEL_TRACES_EXPORTER=none, OTEL_LOGS_EXPORTER=none: only the other is sent."""
    monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "none")
    app = app_with_ok()
    instrument_app(app, pipeline=pipeline)
    client = await serve(app)
    await client.get("/")
    await client.close()

    (line,) = [r for r in records if r.name == "shop"]
    assert bool(collector.spans) == (signal == "LOGS")
    assert bool(collector.logs) == (signal == "TRACES")
    assert line.trace_flags == "03"


async def test_sdk_disabled(
    serve, quick_export, collector, records, monkeypatch, pipeline
):
    """OTEL_SDK_DISABLED: nothing is exported, the lines keep their ids."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    app = app_with_ok()
    instrument_app(app, pipeline=pipeline)
    client = await serve(app)
    response = await client.get("/")
    await client.close()

    (line,) = [r for r in records if r.name == "shop"]
    assert line.request_id == response.headers["X-Request-ID"]
    assert (collector.spans, collector.logs) == ([], [])


async def test_the_resource_says_who_is_speaking(
    serve, quick_export, arrived, monkeypatch
):
    """Service and process, from the variables and from us."""
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES", "service.name=no,service.version=1%2C2,a=b"
    )
    app = app_with_ok()
    instrument_app(app)
    client = await serve(app)
    await client.get("/")

    (span,) = await arrived.served()
    resource = dict(span.resource)
    assert resource.pop("service.instance.id")
    assert resource.pop("process.pid")
    assert resource.pop("telemetry.sdk.version")
    assert resource == {
        "service.name": "shop",
        "service.version": "1,2",
        "a": "b",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "otel-aiohttp-logs",
    }


async def test_flush_and_stats(serve, quick_export, arrived, records):
    """flush() sends what is queued; stats() says what became of it."""
    app = app_with_ok()
    instrument_app(app)
    client = await serve(app)
    before = stats()
    await client.get("/")
    sent = await asyncio.to_thread(flush, 5)
    after = stats()

    assert sent
    assert (before.spans.emitted, before.logs.emitted) == (0, 0)
    assert (after.spans.emitted, after.spans.exported, after.spans.queued) == (2, 2, 0)
    assert (after.logs.emitted, after.logs.exported) == (2, 2)
    assert after.logs.dropped == {}


async def test_upstreams_own_lines_are_not_exported(
    serve, quick_export, collector, records
):
    """What the SDK's exporters say of a failure makes no batch of its own."""
    collector.fail_next(503, times=2)
    app = app_with_ok()
    instrument_app(app, pipeline="sdk")
    client = await serve(app)
    await client.get("/")
    await collector.wait_until(
        lambda: any(r.name.startswith("opentelemetry.") for r in records)
    )
    await client.close()

    scopes = {line.scope for line in collector.logs}
    assert scopes == {"shop", "aiohttp.access"}


async def test_a_request_may_suppress_instrumentation(
    serve, quick_export, arrived, records
):
    """Its lines are exported all the same: they are no exporter's."""

    async def quiet(request):
        key = otel_context._SUPPRESS_INSTRUMENTATION_KEY
        token = otel_context.attach(otel_context.set_value(key, value=True))
        log.info("quiet")
        otel_context.detach(token)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", quiet)
    instrument_app(app)
    client = await serve(app)
    await client.get("/")

    (line,) = await arrived.lines(1)
    assert line.body == "quiet"
