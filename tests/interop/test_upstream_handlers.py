"""Upstream's logging handlers, while we run: theirs in all but what they export."""

from __future__ import annotations

import logging
import threading

import pytest
from aiohttp import web
from opentelemetry import _logs
from opentelemetry.instrumentation.logging.handler import LoggingHandler as Contribs
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import LoggingHandler as Sdks
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)

from otel_aiohttp_logs import instrument_app

log = logging.getLogger("shop")


@pytest.fixture
def theirs():
    """A provider of the application's, and what it exported."""
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))

    def exported():
        return [x.log_record for x in exporter.get_finished_logs()]

    return provider, exported


@pytest.fixture
def put_on():
    """Return a function that puts a handler on a logger for the test."""
    put = []

    def put_on(handler, logger=None):
        logging.getLogger(logger).addHandler(handler)
        put.append((handler, logger))
        return handler

    yield put_on
    for handler, logger in put:
        logging.getLogger(logger).removeHandler(handler)


@pytest.fixture
def shop(serve, quick_export, records):
    async def start(say, **options):
        async def handler(request):
            say()
            return web.Response()

        app = web.Application()
        app.router.add_get("/", handler)
        instrument_app(app, access_log="none", **options)
        client = await serve(app)
        response = await client.get("/")
        return client, response.headers["X-Request-ID"]

    return start


@pytest.mark.parametrize("kind", [Sdks, Contribs])
async def test_what_it_exports_is_ours(shop, theirs, put_on, kind):
    """Safe values, true ids in any thread, no ids among the attributes."""
    provider, exported = theirs
    put_on(kind(logger_provider=provider))

    class Hostile:
        def __repr__(self):
            raise RuntimeError

    def say():
        extra = {"thing": Hostile(), "trace_id": "mine"}
        thread = threading.Thread(
            target=log.info, args=("hello",), kwargs={"extra": extra}
        )
        thread.start()
        thread.join()

    client, request_id = await shop(say)
    await client.close()

    (line,) = exported()
    assert line.body == "hello"
    assert line.trace_id != 0
    assert line.attributes["request_id"] == request_id
    assert line.attributes["extra.trace_id"] == "mine"
    assert "trace_id" not in line.attributes
    assert "thing" in line.attributes


async def test_its_settings_hold(shop, theirs, put_on):
    """Its level, its filters, its format, and the code's place if it adds it."""
    provider, exported = theirs
    handler = put_on(
        Contribs(logging.WARNING, logger_provider=provider, log_code_attributes=True)
    )
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    handler.setFormatter(logging.Formatter("<%(message)s>"))

    def say():
        for text in ("fine", "odd", "secret"):
            log.log(logging.INFO if text == "fine" else logging.WARNING, text)

    client, _ = await shop(say)
    await client.close()

    (line,) = exported()
    assert line.body == "<odd>"
    assert line.attributes["code.function.name"] == "say"


async def test_a_class_of_the_applications_own_exports_by_itself(
    shop, theirs, put_on, collector
):
    """It may do something else: it's left as it is, and not doubled either."""
    provider, exported = theirs

    class Shouting(Contribs):
        def _translate(self, record):
            translated = super()._translate(record)
            translated.body = translated.body.upper()
            return translated

    put_on(Shouting(logger_provider=provider))
    client, _ = await shop(lambda: log.info("hello"))
    await client.close()

    assert [line.body for line in exported()] == ["HELLO"]
    assert collector.logs == []


async def test_on_two_loggers(shop, theirs, put_on, collector):
    """On a logger and on root: a line goes out once; what is beside it goes our way."""
    provider, exported = theirs
    put_on(Contribs(logger_provider=provider), "shop")
    put_on(Contribs(logger_provider=provider), "shop.tea")

    def say():
        logging.getLogger("shop.tea").info("tea")
        logging.getLogger("jam").info("jam")

    client, _ = await shop(say)
    await client.close()

    assert [line.body for line in exported()] == ["tea"]
    assert [line.body for line in collector.logs] == ["jam"]


async def test_a_logger_that_passes_nothing_up(shop, theirs, put_on, collector):
    """As gunicorn's do: its lines go to the same provider as what reaches root."""
    provider, exported = theirs
    gunicorns = logging.getLogger("gunicorn.error")
    put_on(logging.NullHandler(), "gunicorn.error")
    put_on(Contribs(logger_provider=provider))
    gunicorns.propagate = False

    def say():
        log.info("up")
        gunicorns.error("not up")

    try:
        client, _ = await shop(say)
        await client.close()
    finally:
        gunicorns.propagate = True

    assert sorted(line.body for line in exported()) == ["not up", "up"]
    assert collector.logs == []


async def test_a_handler_that_exports_nowhere_keeps_nothing_back(
    shop, put_on, collector
):
    """No provider was set: then we export what it can't."""
    put_on(Contribs())
    client, _ = await shop(lambda: log.info("hello"))
    await client.close()

    assert [line.body for line in collector.logs] == ["hello"]


async def test_a_provider_given_to_us_as_well(shop, theirs, put_on):
    """The same provider by both ways: each line once."""
    provider, exported = theirs
    _logs.set_logger_provider(provider)
    put_on(Contribs())
    client, _ = await shop(lambda: log.info("hello"), logger_provider=provider)
    await client.close()

    assert [line.body for line in exported()] == ["hello"]


async def test_it_is_given_back(shop, theirs, put_on):
    """After the application's end it exports by itself, with no filter of ours."""
    provider, exported = theirs
    handler = put_on(Contribs(logger_provider=provider))
    client, _ = await shop(lambda: log.info("hello"))
    during = list(handler.filters)
    await client.close()
    log.info("later")

    assert (len(during), handler.filters) == (1, [])
    assert [line.body for line in exported()] == ["hello", "later"]
