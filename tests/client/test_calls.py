"""The client side: the called service continues the trace."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest
from aiohttp import web
from opentelemetry import trace

from otel_aiohttp_logs import client_trace_config, instrument_app

log = logging.getLogger("shop")


@pytest.fixture
async def services(quick_export, serve, pipeline):
    """A shop that calls a stock, both instrumented."""

    async def stock(request):
        log.info("in stock")
        return web.Response(status=int(request.match_info["status"]))

    back = web.Application()
    back.router.add_get("/stock/{status}", stock)
    instrument_app(back, pipeline=pipeline)
    backend = await serve(back)

    async def shop(request):
        configs = [client_trace_config()]
        async with aiohttp.ClientSession(trace_configs=configs) as session:
            url = request.query.get("url") or backend.make_url(
                f"/stock/{request.query['status']}?token=secret"
            )
            async with session.get(url) as response:
                return web.Response(status=response.status)

    front = web.Application()
    front.router.add_get("/shop", shop)
    instrument_app(front, pipeline=pipeline)
    return await serve(front), backend


async def test_a_trace_crosses_the_call(services, arrived, records):
    """Server span, client span under it, the other's server span under that."""
    front, backend = services
    await front.get("/shop?status=200")

    spans = {
        (s.proto.kind, s.attributes.get("http.route")): s
        for s in await arrived.spans(3)
    }
    served = spans[(2, "/shop")]
    called = spans[(3, None)]
    answered = spans[(2, "/stock/{status}")]
    (line,) = [r for r in records if r.name == "shop"]
    assert called.parent_id == served.span_id
    assert answered.parent_id == called.span_id
    assert {s.trace_id for s in spans.values()} == {line.trace_id}
    assert line.span_id == answered.span_id
    assert called.name == "GET"
    assert dict(called.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "server.address": "127.0.0.1",
        "server.port": backend.port,
        "url.full": f"http://127.0.0.1:{backend.port}/stock/200?token=REDACTED",
    }


@pytest.mark.parametrize(
    ("status", "failed"), [(302, False), (400, True), (404, True), (503, True)]
)
async def test_an_error_answer_is_the_clients_error(services, arrived, status, failed):
    """A 4xx is an error for who asked, unlike for who answered."""
    front, _ = services
    await front.get(f"/shop?status={status}", allow_redirects=False)

    (called,) = await arrived.spans(1, kind=3)
    assert called.attributes["http.response.status_code"] == status
    assert (called.proto.status.code == 2) == failed
    assert called.attributes.get("error.type") == (str(status) if failed else None)


async def test_a_failed_call_is_an_error(services, arrived):
    """Nobody listens: the span says so, and the exception reaches the caller."""
    front, _ = services
    response = await front.get("/shop?url=http://user:secret@127.0.0.1:1/x")

    (called,) = await arrived.spans(1, kind=3)
    assert response.status == 500
    assert called.attributes["error.type"] == "ClientConnectorError"
    assert called.attributes["url.full"] == "http://127.0.0.1:1/x"
    assert called.proto.status.code == 2


async def test_outside_of_a_request_a_call_begins_a_trace(services, arrived):
    """A background job's call has a trace of its own, which the service continues."""
    _, backend = services
    configs = [client_trace_config()]
    async with aiohttp.ClientSession(trace_configs=configs) as session:
        await session.get(backend.make_url("/stock/200"))

    # The first request settled the global provider; this call came before it.
    (answered,) = await arrived.served()
    assert answered.attributes["url.path"] == "/stock/200"
    assert not trace.get_current_span().get_span_context().is_valid


async def test_calls_side_by_side_keep_their_parents(quick_export, serve, arrived):
    """Calls that one request makes at once hang under it, each once."""

    async def stock(request):
        return web.Response()

    back = web.Application()
    back.router.add_get("/{n}", stock)
    backend = await serve(back)

    async def shop(request):
        configs = [client_trace_config()]
        async with aiohttp.ClientSession(trace_configs=configs) as session:
            urls = [backend.make_url(f"/{n}") for n in range(10)]
            await asyncio.gather(*map(session.get, urls))
        return web.Response()

    front = web.Application()
    front.router.add_get("/shop", shop)
    instrument_app(front)
    await (await serve(front)).get("/shop")

    (served,) = await arrived.served()
    called = await arrived.spans(10, kind=3)
    assert {span.parent_id for span in called} == {served.span_id}
    assert len({span.attributes["url.full"] for span in called}) == 10
