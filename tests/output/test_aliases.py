"""Format strings written for contrib's logging instrumentation work without it."""

from __future__ import annotations

import io
import logging

import pytest
from aiohttp import web

from otel_aiohttp_logs import instrument_app

log = logging.getLogger("shop")
FORMATS = {
    "%": "%(otelTraceID)s %(otelSpanID)s %(otelTraceSampled)s %(otelServiceName)s",
    "{": "{otelTraceID} {otelSpanID} {otelTraceSampled} {otelServiceName}",
    "$": "$otelTraceID $otelSpanID $otelTraceSampled $otelServiceName",
}


@pytest.fixture(params=FORMATS)
def handler(request):
    """The application's, on a logger of its own."""
    style = request.param
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter(FORMATS[style], style=style))
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


async def test_the_ids_by_contribs_names(
    serve, quick_export, arrived, records, handler
):
    """As contrib writes them, in a request and outside; they aren't exported."""

    async def ok(request):
        log.info("inside")
        return web.Response()

    app = web.Application()
    app.router.add_get("/", ok)
    instrument_app(app)
    client = await serve(app)
    await client.get("/")
    log.info("outside")
    (span,) = await arrived.served(1)
    lines = await arrived.lines(2)
    during = len(handler.filters)
    await client.close()

    assert handler.stream.getvalue().splitlines() == [
        f"{span.trace_id} {span.span_id} True shop",
        "0 0 False shop",
    ]
    assert not any(name.startswith("otel") for x in lines for name in x.attributes)
    assert (during, len(handler.filters)) == (1, 0)


async def test_nobody_else_has_them(serve, quick_export, records):
    """A handler whose format doesn't ask gets no filter of ours."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    instrument_app(app := web.Application())
    client = await serve(app)
    await client.get("/")
    filters = list(handler.filters)
    log.removeHandler(handler)

    assert filters == []
