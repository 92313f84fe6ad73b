"""The variables of OpenTelemetry mean with us what they mean with its SDK."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import web
from opentelemetry import _logs, trace
from opentelemetry._logs import _internal as _logs_internal
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from variable_rows import REQUESTS, ROWS

from otel_aiohttp_logs import flush, instrument_app, stats

log = logging.getLogger("shop")


async def ok(request):
    log.info("handling")
    return web.Response()


@pytest.fixture
def shop(serve, quick_export, records, pipeline):
    """Return a function that starts the service, with the variables as they are."""

    async def start(**options):
        app = web.Application()
        app.router.add_get("/", ok)
        instrument_app(app, pipeline=pipeline, **options)
        return await serve(app)

    return start


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_what_the_collector_sees(shop, collector, monkeypatch, row):
    """What is set, and what arrives of five requests with two lines each."""
    for name, value in row.env.items():
        monkeypatch.setenv(name, value.format(url=collector.endpoint))
    client = await shop()
    for _ in range(REQUESTS):
        await client.get("/", headers=row.headers)
    await client.close()

    assert row.sees(collector) == row.value


@pytest.mark.parametrize("signal", ["", "TRACES_", "LOGS_"])
async def test_timeout(shop, collector, monkeypatch, signal):
    """Milliseconds: a post without an answer holds the next one up no longer."""
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}TIMEOUT", "300")
    hanging = 1 if signal else 2
    if signal:
        other = "LOGS" if signal == "TRACES_" else "TRACES"
        monkeypatch.setenv(f"OTEL_{other}_EXPORTER", "none")
    collector.hang_next(30, times=hanging)
    client = await shop()
    await client.get("/")
    await collector.wait_until(lambda: len(collector.attempts) == hanging)
    await client.get("/")

    await collector.wait_until(lambda: len(collector.attempts) > hanging)


@pytest.mark.parametrize("pipeline", ["own"])
@pytest.mark.parametrize(("processor", "of"), [("BSP", "spans"), ("BLRP", "logs")])
async def test_queue_size(shop, monkeypatch, processor, of):
    """What doesn't fit is dropped and counted."""
    monkeypatch.setenv(f"OTEL_{processor}_SCHEDULE_DELAY", "60000")
    monkeypatch.setenv(f"OTEL_{processor}_MAX_QUEUE_SIZE", "3")
    monkeypatch.setenv(f"OTEL_{processor}_MAX_EXPORT_BATCH_SIZE", "3")
    client = await shop()
    for _ in range(50):
        await client.get("/")
    await asyncio.to_thread(flush, 5)

    counts = getattr(stats(), of)
    assert counts.emitted == counts.exported + sum(counts.dropped.values())


@pytest.mark.parametrize("pipeline", ["sdk"])
async def test_console(shop, monkeypatch, capfd):
    """console prints, with pipeline="sdk"."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "console")
    client = await shop()
    await client.get("/")
    await client.close()

    printed = capfd.readouterr().out
    assert '"kind": "SpanKind.SERVER"' in printed
    assert '"body": "handling"' in printed


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("OTEL_TRACES_SAMPLER", "sometimes", "always_on or "),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "a number from 0 to 1"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp or "),
        ("OTEL_LOGS_EXPORTER", "file", "otlp or "),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel:4318", "a URL such as"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip or none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "a whole number"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon", "a whole number"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0", "a whole number"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "0", "a whole number"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team", "key=value"),
        ("OTEL_SDK_DISABLED", "yes", "true or false"),
    ],
)
def test_bad_values(monkeypatch, pipeline, name, value, remedy):
    """One error at the start, which names the variable and what to write."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ValueError, match=name) as error:
        instrument_app(web.Application(), pipeline=pipeline)

    assert repr(value) in str(error.value)
    assert remedy in str(error.value)


@pytest.mark.parametrize("given", [True, False])
def test_what_theirs_understand(monkeypatch, given):
    """
    No error of ours where the application's providers export: set globally or given.
    It's one again for a signal that isn't theirs.
    """
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "their_own")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console,zipkin")
    traces = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    logs = LoggerProvider(shutdown_on_exit=False)
    if given:
        options = {"tracer_provider": traces, "logger_provider": logs}
    else:
        trace.set_tracer_provider(traces)
        _logs.set_logger_provider(logs)
        options = {}
    instrument_app(web.Application(), **options)

    _logs_internal._LOGGER_PROVIDER = None
    options.pop("logger_provider", None)
    with pytest.raises(ValueError, match="OTEL_EXPORTER_OTLP_PROTOCOL"):
        instrument_app(web.Application(), **options)
