"""One call, at any time before the start, whatever else the application set up."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
import subprocess
import sys
import textwrap

import pytest
from aiohttp import web
from opentelemetry import _logs, trace
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

from otel_aiohttp_logs import flush, instrument_app, stats, uninstrument_app

log = logging.getLogger("shop")


async def ok(request):
    log.info("handling")
    with trace.get_tracer("shop").start_as_current_span("inner"):
        return web.Response(text="ok")


def app_with_ok():
    app = web.Application()
    app.router.add_get("/", ok)
    return app


def run(code, **environ):
    """Run *code* as a program of its own and return what it wrote to stdout."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path), **environ},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PROGRAM = """
import asyncio, logging, logging.config
from aiohttp import ClientSession, web
from otel_aiohttp_logs import instrument_app

async def ok(request):
    logging.getLogger("shop").info("handling")
    logging.getLogger("db.pool").debug("hidden")
    return web.Response()

async def main(app):
    app.router.add_get("/", ok)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        await session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    await runner.cleanup()

app = web.Application()
"""
QUIET = {"OTEL_LOGS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}


def test_json_lines_on_stdout_by_default():
    """An application that configured nothing gets one JSON line for each record."""
    out = run(PROGRAM + "instrument_app(app)\nasyncio.run(main(app))", **QUIET)

    own, access = map(json.loads, out.splitlines())
    assert (own["logger"], own["message"], own["level"]) == ("shop", "handling", "INFO")
    assert access["logger"] == "aiohttp.access"
    assert own["trace_id"] == access["trace_id"]
    assert own["request_id"] == access["request_id"]
    assert list(own) == [
        "timestamp",
        "level",
        "logger",
        "message",
        "request_id",
        "trace_id",
        "span_id",
        "trace_flags",
    ]


@pytest.mark.parametrize(
    ("options", "lines"),
    [('output="none"', 0), ('level="DEBUG", output="json"', 3), ('level="ERROR"', 0)],
)
def test_output_and_level_can_be_chosen(options, lines):
    """They say what goes to stdout, and from which level on."""
    code = f"{PROGRAM}instrument_app(app, {options})\nasyncio.run(main(app))"
    out = run(code, **QUIET).splitlines()

    assert len([line for line in out if '"asyncio"' not in line]) == lines


def test_lines_that_stdout_does_not_take_are_counted():
    """A closed stdout never reaches the application, and can be seen in stats()."""
    setup = """
import os, sys
from otel_aiohttp_logs import stats
instrument_app(app, output="json")
kept = os.dup(1)
sys.stdout.close()
asyncio.run(main(app))
os.write(kept, str(stats().lines_lost).encode())
"""
    assert run(PROGRAM + setup, **QUIET) == "2"


@pytest.mark.parametrize("first", [True, False])
def test_an_existing_configuration_is_kept(first):
    """BasicConfig before or after the call: its lines, once each, and none of ours."""
    basic = (
        "import sys\n"
        "logging.basicConfig(stream=sys.stdout, level=logging.INFO,"
        " format='%(name)s %(trace_id)s %(message)s')\n"
    )
    ours = "instrument_app(app)\n"
    setup = basic + ours if first else ours + basic
    out = run(PROGRAM + setup + "asyncio.run(main(app))", **QUIET).splitlines()

    assert len(out) == 2
    name, trace_id, message = out[0].split(" ", 2)
    assert (name, message) == ("shop", "handling")
    assert len(trace_id) == 32
    assert out[1].startswith(f"aiohttp.access {trace_id} ")


def test_a_configured_level_is_kept():
    """A handler without a level: Python's WARNING stays. A level alone: it stays."""
    run_it = "instrument_app(app)\nasyncio.run(main(app))"
    handler = "import sys\nlogging.basicConfig(stream=sys.stdout)\n"
    level = "logging.getLogger().setLevel(logging.ERROR)\n"

    assert run(PROGRAM + handler + run_it, **QUIET) == ""
    assert run(PROGRAM + level + run_it, **QUIET) == ""


def test_only_loggers_without_a_handler_get_ours():
    """A handler on one logger: its lines aren't doubled, the others are still shown."""
    setup = """
import sys
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("own %(message)s"))
logging.getLogger("shop").addHandler(handler)
instrument_app(app)
asyncio.run(main(app))
"""
    out = run(PROGRAM + setup, **QUIET).splitlines()

    assert out[0] == "own handling"
    assert [json.loads(line)["logger"] for line in out[1:]] == ["aiohttp.access"]


def test_formatters_can_be_named_in_dict_config():
    """JSONFormatter and ConsoleFormatter need no argument."""
    setup = """
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "otel_aiohttp_logs.JSONFormatter"},
        "console": {"()": "otel_aiohttp_logs.ConsoleFormatter"},
    },
    "handlers": {
        name: {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": name,
        }
        for name in ("json", "console")
    },
    "root": {"level": "INFO", "handlers": ["json", "console"]},
})
instrument_app(app)
asyncio.run(main(app))
"""
    out = run(PROGRAM + setup, NO_COLOR="1", **QUIET).splitlines()

    assert len(out) == 4
    request_id = json.loads(out[0])["request_id"]
    assert request_id[:4] in out[1]
    assert "handling" in out[1]


async def test_the_middleware_is_outermost_whatever_comes_later(instrumented, serve):
    """Middlewares put in front after the call still run inside of the request."""
    seen = []

    @web.middleware
    async def early(request, handler):
        seen.append(request.get("request_id"))
        return await handler(request)

    app = app_with_ok()
    instrument_app(app)
    app.middlewares.insert(0, early)
    client = await serve(app)
    response = await client.get("/")

    assert seen == [response.headers["X-Request-ID"]]


async def test_a_logging_configuration_at_start_up_is_taken_in(
    serve, quick_export, arrived
):
    """If dictConfig takes our handler off while starting, a request mends it."""
    root = logging.getLogger()
    before = list(root.handlers), root.level

    async def configure(_):
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"null": {"class": "logging.NullHandler"}},
                "root": {"level": "INFO", "handlers": ["null"]},
            }
        )

    app = app_with_ok()
    instrument_app(app, output="none")
    app.on_startup.append(configure)
    client = await serve(app)
    await client.get("/")
    (line,) = await arrived.lines(1)
    await client.close()
    root.handlers[:], root.level = before

    assert line.body == "handling"


async def test_sub_applications_are_covered(instrumented, arrived):
    """One span a request, with the route's whole template."""
    sub = web.Application()
    sub.router.add_get("/items/{id}", ok)
    app = web.Application()
    app.add_subapp("/api/", sub)
    client = await instrumented(app)
    await client.get("/api/items/7")

    (span,) = await arrived.served()
    assert span.name == "GET /api/items/{id}"
    assert span.attributes["http.route"] == "/api/items/{id}"


@pytest.mark.parametrize("both", [True, False])
async def test_an_instrumented_sub_application(serve, quick_export, arrived, both):
    """With its parent instrumented or not: one span a request, begun once."""
    sub = app_with_ok()
    instrument_app(sub)
    app = web.Application()
    if both:
        instrument_app(app)
    app.add_subapp("/sub", sub)
    client = await serve(app)
    response = await client.get("/sub/")

    (span,) = await arrived.served()
    assert span.attributes["request_id"] == response.headers["X-Request-ID"]


async def test_two_applications_share_the_process(
    instrumented, serve, quick_export, arrived, records, pipeline
):
    """The end of one leaves the other working; the end of both leaves nothing."""
    factory = logging.getLogRecordFactory()
    handlers = list(logging.getLogger().handlers)
    one, two = app_with_ok(), app_with_ok()
    instrument_app(two, pipeline=pipeline)
    first, second = await instrumented(one), await serve(two)
    await first.get("/")
    await first.close()
    await second.get("/")
    lines = await arrived.lines(2)
    await second.close()

    assert len({line.trace_id for line in lines}) == 2
    assert logging.getLogRecordFactory() is factory
    assert logging.getLogger().handlers == handlers


async def test_two_applications_must_agree(serve, quick_export):
    """Other process-wide settings are an error at start that names the setting."""
    one, two = app_with_ok(), app_with_ok()
    instrument_app(one, span_events=True, request_id_header="X-One")
    instrument_app(two, span_events=False)
    await serve(one)
    runner = web.AppRunner(two)

    with pytest.raises(ValueError, match="span_events differs from what another"):
        await runner.setup()
    await runner.cleanup()


async def test_other_exporter_settings_are_named_without_their_values(
    serve, quick_export, monkeypatch
):
    """The error says which of them differs, and shows no secret."""
    one, two = app_with_ok(), app_with_ok()
    instrument_app(one)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "api-key=hidden")
    instrument_app(two)
    await serve(one)
    runner = web.AppRunner(two)

    with pytest.raises(ValueError, match=r"logs\.headers differs") as caught:
        await runner.setup()
    await runner.cleanup()
    assert "hidden" not in str(caught.value)


async def test_uninstrumenting_a_running_application(instrumented, arrived, records):
    """From then on requests are served as without us; what was queued still goes."""
    app = app_with_ok()
    client = await instrumented(app)
    before = await client.get("/")
    uninstrument_app(app)
    after = await client.get("/")

    await arrived.served()
    assert "X-Request-ID" in before.headers
    assert after.status == 200
    assert "X-Request-ID" not in after.headers
    assert not hasattr(records[-1], "trace_id")


async def test_uninstrumenting_before_the_start(serve):
    """Nothing of ours is left in the application."""
    app = app_with_ok()
    instrument_app(app)
    uninstrument_app(app)

    assert len(app.middlewares) == 0
    assert len(app.on_response_prepare) == 0
    assert len(app.cleanup_ctx) == 0
    assert "X-Request-ID" not in (await (await serve(app)).get("/")).headers


async def test_a_failed_start_leaves_nothing(serve):
    """If a start-up hook of the application raises, what is process-wide is undone."""

    async def broken(_):
        raise OSError("no database")

    factory = logging.getLogRecordFactory()
    app = app_with_ok()
    instrument_app(app)
    app.on_startup.append(broken)
    runner = web.AppRunner(app)
    with pytest.raises(OSError, match="no database"):
        await runner.setup()
    await runner.cleanup()

    assert logging.getLogRecordFactory() is factory


async def test_lines_of_start_and_end_are_exported(
    serve, quick_export, records, arrived
):
    """From the first start-up hook to the last clean-up hook."""

    async def start(_):
        log.info("starting")

    async def end(_):
        log.info("ending")

    app = app_with_ok()
    app.on_startup.append(start)
    app.on_cleanup.append(end)
    instrument_app(app)
    client = await serve(app)
    await client.close()

    lines = await arrived.lines(2)
    assert [(line.body, line.trace_id) for line in lines] == [
        ("starting", ""),
        ("ending", ""),
    ]


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
