"""contrib's server middleware steps aside for us, and for nobody else."""

from __future__ import annotations

import logging
import warnings

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from opentelemetry.instrumentation import aiohttp_server
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from otel_aiohttp_logs import instrument_app


@pytest.fixture
def spans():
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture
def contrib(provider, collector):
    """It is on for applications made from now on: the Collector's was before."""
    instrumentor = aiohttp_server.AioHttpServerInstrumentor()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # aiohttp's, of the subclass that it makes
        instrumentor.instrument(tracer_provider=provider)
    yield
    instrumentor.uninstrument()


def application(handler):
    app = web.Application()
    app.router.add_get("/", handler)
    return app


async def ok(request):
    return web.Response()


def scopes(spans):
    return [
        span.instrumentation_scope.name
        for span in spans.get_finished_spans()
        if span.kind is SpanKind.SERVER
    ]


async def test_applications_without_us_keep_theirs(
    contrib, serve, quick_export, records, provider, spans
):
    """In one process, also if one service asks the other: each has one span."""
    other = await serve(application(ok))

    async def ask(request):
        async with TestClient(other.server) as client:
            await client.get("/")
        return web.Response()

    app = application(ask)
    instrument_app(app, tracer_provider=provider)
    client = await serve(app)
    await client.get("/")
    await client.close()

    theirs, ours = scopes(spans)
    assert theirs == "opentelemetry.instrumentation.aiohttp_server"
    assert ours == "otel_aiohttp_logs"


async def test_it_is_undone(contrib, serve, quick_export, records, provider, spans):
    """After the last application's end nothing of ours is left in its module."""
    before = aiohttp_server.is_http_instrumentation_enabled
    app = application(ok)
    instrument_app(app, tracer_provider=provider)
    client = await serve(app)
    during = aiohttp_server.is_http_instrumentation_enabled
    await client.close()

    assert during is not before
    assert aiohttp_server.is_http_instrumentation_enabled is before


async def test_an_application_made_before(
    request, serve, quick_export, records, provider, spans
):
    """contrib puts a class in the place of web.Application: ours takes the old one."""
    app = application(ok)
    request.getfixturevalue("contrib")
    instrument_app(app, tracer_provider=provider)
    client = await serve(app)
    await client.get("/")
    await client.close()

    assert scopes(spans) == ["otel_aiohttp_logs"]


async def test_its_span_around_ours_is_kept(
    contrib, serve, quick_export, records, provider, spans
):
    """
    Only a sub-application is ours: contrib's span is the request's, and is what lines
    have that are logged after contrib is through.
    """

    async def say(request, response):
        logging.getLogger("shop").info("preparing")

    app, sub = application(ok), application(ok)
    instrument_app(sub, tracer_provider=provider)
    sub.on_response_prepare.append(say)
    app.add_subapp("/sub", sub)
    client = await serve(app)
    response = await client.get("/sub/")
    await client.close()

    (span,) = spans.get_finished_spans()
    assert span.instrumentation_scope.name.startswith("opentelemetry.instrumentation")
    assert span.attributes["request_id"] == response.headers["X-Request-ID"]
    assert span.attributes["http.status_code"] == 200
    (line,) = [record for record in records if record.name == "shop"]
    assert line.span_id == f"{span.context.span_id:016x}"
    assert line.request_id == response.headers["X-Request-ID"]
