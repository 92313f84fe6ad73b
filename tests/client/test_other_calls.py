"""Calls that aren't one request and its answer: WebSockets, what others repeat."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web


async def test_a_websocket_is_a_call(serve, session, spans, provider):
    """Its span ends with the handshake, and the other side continues the trace."""
    sent = []

    async def echo(request):
        sent.append(request.headers["traceparent"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/", echo)
    server = await serve(app)
    async with session().ws_connect(server.make_url("/")) as socket:
        (span,) = spans()
        await socket.send_str("tea")
        assert await socket.receive_str() == "tea"

    assert span.attributes["http.response.status_code"] == 101
    assert span.status.is_unset
    assert sent[0].split("-")[2] == f"{span.context.span_id:016x}"
    assert len(spans()) == 1


async def test_a_refused_websocket_is_an_error(stock, session, spans):
    """As any other answer of 4xx."""
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session().ws_connect(stock.url("/status/403"))

    (span,) = spans()
    assert span.attributes["error.type"] == "403"


async def test_retries_of_aiohttp_retry(stock, provider, session, spans):
    """Each is a span, and is counted."""
    retry = pytest.importorskip("aiohttp_retry")
    options = retry.ExponentialRetry(attempts=3, start_timeout=0.001)
    client = retry.RetryClient(session(), retry_options=options)
    async with client.get(stock.url("/status/503")) as response:
        assert response.status == 503

    counts = [s.attributes.get("http.request.resend_count") for s in spans()]
    assert counts == [None, 1, 2]


@pytest.mark.skipif(
    not hasattr(aiohttp, "ClientHandlerType"), reason="aiohttp 3.12 has middlewares"
)
async def test_what_a_middleware_repeats(stock, session, spans):
    """aiohttp tells nobody: it's one call to us, with the last answer's status."""

    async def again(request, handler):
        response = await handler(request)
        if response.status == 503:
            response.release()
            request.url = request.url.with_path("/status/200")
            response = await handler(request)
        return response

    await session().get(stock.url("/status/503"), middlewares=[again])

    (span,) = spans()
    assert span.attributes["http.response.status_code"] == 200
    assert stock.headers("traceparent")[0] == stock.headers("traceparent")[1]
