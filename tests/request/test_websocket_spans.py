"""With ``websocket_spans`` each message of a WebSocket has a span of its own."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import WSMsgType
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from websocket_talks import NUMBER, app_of, log, numbers, say

from otel_aiohttp_logs import instrument_app, stats
from otel_aiohttp_logs.record.said import said

pytestmark = pytest.mark.usefixtures("records")  # lines from INFO on


async def test_a_span_a_message(instrumented, arrived):
    """
    With ``websocket_spans`` a message has a span that is its lines' own, under the
    request's; lines between messages have the request's.
    """

    async def talk(socket):
        async for message in socket:
            log.info("got %s", message.data)
            await socket.send_str("ok")

    client = await instrumented(app_of(talk), websocket_spans=True)

    await asyncio.gather(
        say(client, ["a", "b"], "/talk/1"), say(client, ["c", "d", "e"], "/talk/2")
    )

    requests = {s.trace_id: s for s in await arrived.served(2)}
    spans = {
        s.span_id: s for s in await arrived.spans(5, name="websocket message", kind=1)
    }
    for line in await arrived.lines(9):
        request = requests[line.trace_id]
        if line.body in {"open", "left"}:
            assert line.span_id == request.span_id
            continue
        span = spans.pop(line.span_id)
        assert span.parent_id == request.span_id
        assert span.attributes == {NUMBER: line.attributes[NUMBER]}
        times = span.proto.start_time_unix_nano, span.proto.end_time_unix_nano
        assert times[0] <= line.proto.time_unix_nano <= times[1]
    assert spans == {}


async def test_a_handler_that_fails(instrumented, arrived, events_of, caplog):
    """The span of the message that was being handled has the exception."""
    caplog.set_level(logging.CRITICAL, logger="aiohttp.server")

    async def talk(socket):
        async for message in socket:
            if message.data == "b":
                raise LookupError("no such order")
            await socket.send_str("ok")

    client = await instrumented(app_of(talk), websocket_spans=True)

    async with client.ws_connect("/talk/1") as socket:
        await socket.send_str("a")
        await socket.send_str("b")
        assert (await socket.receive(timeout=5)).data == "ok"
        end = await socket.receive(timeout=5)

    assert end.type in {WSMsgType.CLOSED, WSMsgType.ERROR}
    first, second = sorted(
        await arrived.spans(2, name="websocket message"),
        key=lambda span: span.attributes[NUMBER],
    )
    assert "error.type" not in first.attributes
    assert second.attributes["error.type"] == "LookupError"
    assert second.proto.status.code == 2
    assert [name for name, _ in events_of(second)] == ["exception"]


async def test_a_provider_that_fails(serve, records):
    """What the application's own span processor raises never comes out of receive()."""

    class Failing(SpanProcessor):
        def on_start(self, span, parent_context=None):
            if span.name == "websocket message":
                raise LookupError("on purpose")

    async def talk(socket):
        async for message in socket:
            log.info("got %s", message.data)
            await socket.send_str("ok")

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Failing())
    app = app_of(talk)
    instrument_app(app, websocket_spans=True, tracer_provider=provider)
    failures = stats().telemetry_failures
    client = await serve(app)

    await say(client, ["a", "b"])

    lines = [r for r in records if r.name == "shop"]
    assert [(r.getMessage(), said(r).fields.get(NUMBER)) for r in lines] == [
        ("open", None),
        ("got a", 1),
        ("got b", 2),
        ("left", None),
    ]
    assert stats().telemetry_failures == failures + 2


async def test_a_client_that_goes_away(instrumented, arrived):
    """The last message's span ends, without an error; the end has no number."""

    async def talk(socket):
        async for message in socket:
            log.info("got %s", message.data)

    client = await instrumented(app_of(talk), websocket_spans=True)

    socket = await client.ws_connect("/talk/1")
    await socket.send_str("a")
    await arrived.lines(2)
    socket._response.connection.transport.abort()

    (span,) = await arrived.spans(1, name="websocket message")
    assert span.proto.status.code == 0
    assert numbers(await arrived.lines(3)) == [
        ("open", None),
        ("got a", 1),
        ("left", None),
    ]
    await socket.close()
