"""One call, at any time before the start, undone as cleanly as it was made."""

from __future__ import annotations

import asyncio
import logging
import logging.config

import pytest
from aiohttp import web
from opentelemetry import trace

from otel_aiohttp_logs import instrument_app, uninstrument_app

log = logging.getLogger("shop")


async def ok(request):
    log.info("handling")
    with trace.get_tracer("shop").start_as_current_span("inner"):
        return web.Response(text="ok")


def app_with_ok():
    app = web.Application()
    app.router.add_get("/", ok)
    return app


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
    # The later ones begin in the compiled way, where there's one.
    responses = [await client.get("/sub/") for _ in range(3)]

    spans = await arrived.served(3)
    ids = {span.attributes["request_id"] for span in spans}
    assert ids == {response.headers["X-Request-ID"] for response in responses}


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
    for _ in range(500):  # the rest is done in a thread of its own
        if not any(type(h).__name__ == "OutletHandler" for h in logging.root.handlers):
            break
        await asyncio.sleep(0.01)
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
