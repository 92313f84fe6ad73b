"""What the span of a request says, and how long it lasts."""

from __future__ import annotations

import asyncio
import logging
import uuid

import aiohttp
import pytest
from aiohttp import web
from opentelemetry import trace

from otel_aiohttp_logs import instrument_app

log = logging.getLogger("shop")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def ok(request):
    log.info("handling %s", request.match_info.get("id", ""))
    return web.Response(text="ok")


def lines_of(records, number):
    return [
        r for r in records if r.name == "shop" and r.getMessage().endswith(f"#{number}")
    ]


async def test_a_callers_trace_is_continued(instrumented, records, arrived):
    """Trace, parent, flags and state are the caller's."""
    app = web.Application()
    app.router.add_get("/{id}", ok)
    client = await instrumented(app)
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1,b@x=2"}
    await client.get("/x", headers=headers)

    (span,) = await arrived.served()
    (record,) = [r for r in records if r.name == "shop"]
    assert (span.trace_id, span.parent_id) == (TRACE, SPAN)
    assert span.proto.trace_state == "a=1,b@x=2"
    assert (record.trace_id, record.trace_flags) == (TRACE, "01")


async def test_an_unsampled_caller_gets_ids_and_no_span(instrumented, records, arrived):
    """Parent-based sampling: no span is exported, lines still are, with flags 00."""
    app = web.Application()
    app.router.add_get("/{id}", ok)
    client = await instrumented(app)
    await client.get("/x", headers={"traceparent": f"00-{TRACE}-{SPAN}-00"})
    await client.get("/y")

    spans = await arrived.served()
    lines = await arrived.lines(2)
    assert [s.attributes["url.path"] for s in spans] == ["/y"]
    assert (lines[0].trace_id, lines[0].proto.flags & 1) == (TRACE, 0)
    assert lines[1].proto.flags & 1 == 1


async def test_span_follows_the_semantic_conventions(instrumented, arrived):
    """Stable HTTP conventions; the query's values and the path in the name are not."""
    app = web.Application()
    app.router.add_post("/users/{id}", ok)
    client = await instrumented(app)
    await client.post(
        "/users/7?token=secret&page=2&bare", headers={"User-Agent": "tests/1"}
    )

    (span,) = await arrived.served()
    attributes = dict(span.attributes)
    request_id_seen = attributes.pop("request_id")
    assert span.name == "POST /users/{id}"
    assert uuid.UUID(request_id_seen)
    assert attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/users/{id}",
        "url.path": "/users/7",
        "url.query": "token=REDACTED&page=REDACTED&REDACTED",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": client.port,
        "client.address": "127.0.0.1",
        "user_agent.original": "tests/1",
        "network.protocol.version": "1.1",
    }
    assert span.proto.status.code == 0


@pytest.mark.parametrize(
    ("path", "method", "status", "name", "error", "failed"),
    [
        ("/missing/17", "GET", 404, "GET", None, False),
        ("/ok", "DELETE", 405, "DELETE", None, False),
        ("/ok", "LOCK", 405, "HTTP", None, False),
        ("/redirect", "GET", 302, "GET /redirect", None, False),
        ("/forbidden", "GET", 403, "GET /forbidden", None, False),
        ("/returned", "GET", 503, "GET /returned", "503", True),
        ("/raised", "GET", 502, "GET /raised", "502", True),
        ("/boom", "GET", 500, "GET /boom", "ZeroDivisionError", True),
        ("/none", "GET", 500, "GET /none", "500", True),
        ("/static/tea.txt", "GET", 200, "GET /static", None, False),
    ],
)
async def test_status_and_error(
    instrumented, arrived, tmp_path, path, method, status, name, error, failed
):
    """
    The span has the status that was sent; only the server's own failures are errors;
    each answer has the request's id.
    """

    async def redirect(request):
        raise web.HTTPFound("/ok")

    async def forbidden(request):
        raise web.HTTPForbidden

    async def returned(request):
        return web.Response(status=503)

    async def raised(request):
        raise web.HTTPBadGateway

    async def boom(request):
        return web.Response(text=str(1 / 0))

    async def none(request):
        return None

    (tmp_path / "tea.txt").write_text("tea")
    app = web.Application()
    for handler in (ok, redirect, forbidden, returned, raised, boom, none):
        app.router.add_get(f"/{handler.__name__}", handler)
    app.router.add_static("/static", tmp_path)
    client = await instrumented(app)
    response = await client.request(method, path, allow_redirects=False)
    await response.read()

    (span,) = await arrived.served()
    assert response.status == status
    assert response.headers["X-Request-ID"] == span.attributes["request_id"]
    assert span.attributes["http.response.status_code"] == status
    assert span.name == name
    assert span.attributes.get("error.type") == error
    assert (span.proto.status.code == 2) == failed
    known = method != "LOCK"
    assert span.attributes["http.request.method"] == (method if known else "_OTHER")
    assert span.attributes.get("http.request.method_original") == (
        None if known else "LOCK"
    )


async def test_a_timeout_is_answered_504(instrumented, arrived):
    """Aiohttp answers a TimeoutError with 504, and so says the span."""

    async def slow(request):
        raise asyncio.TimeoutError

    app = web.Application()
    app.router.add_get("/slow", slow)
    client = await instrumented(app)
    response = await client.get("/slow")

    (span,) = await arrived.served()
    assert response.status == span.attributes["http.response.status_code"] == 504
    assert span.attributes["error.type"] == "TimeoutError"


async def test_a_streamed_answer_ends_the_span_with_its_last_byte(
    instrumented, arrived, records
):
    """The span lasts as long as the body is written, its lines included."""
    times = []

    async def stream(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for part in (b"one", b"two"):
            await response.write(part)
            await asyncio.sleep(0.02)
            log.info("wrote %s", part.decode())
        times.append(asyncio.get_running_loop().time())
        return response

    app = web.Application()
    app.router.add_get("/stream", stream)
    client = await instrumented(app)
    response = await client.get("/stream")
    body = await response.read()

    (span,) = await arrived.served()
    access = [r for r in records if r.name == "aiohttp.access"]
    assert body == b"onetwo"
    assert response.headers["X-Request-ID"] == span.attributes["request_id"]
    assert span.proto.end_time_unix_nano - span.proto.start_time_unix_nano >= 40_000_000
    assert access[0].created * 1e9 <= span.proto.end_time_unix_nano + 1000
    assert access[0].span_id == span.span_id


async def test_a_body_written_after_the_handler_is_inside_the_span(
    instrumented, arrived, records
):
    """A payload that is written once the handler has returned still has the ids."""

    async def parts():
        for part in (b"one", b"two"):
            log.info("part %s", part.decode())
            yield part

    async def handler(request):
        return web.Response(body=parts())

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    response = await client.get("/")
    body = await response.read()

    (span,) = await arrived.served()
    written = [r for r in records if r.name == "shop"]
    assert body == b"onetwo"
    assert [r.span_id for r in written] == [span.span_id] * 2
    assert all(r.created * 1e9 <= span.proto.end_time_unix_nano for r in written)


async def test_websocket(instrumented, arrived, records):
    """One span for the whole connection, the id in the handshake's answer."""

    async def talk(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            log.info("got %s", message.data)
            await socket.send_str(message.data.upper())
        return socket

    app = web.Application()
    app.router.add_get("/ws", talk)
    client = await instrumented(app)
    async with client.ws_connect("/ws") as socket:
        await socket.send_str("tea")
        answer = await socket.receive_str()
        header = socket._response.headers["X-Request-ID"]

    (span,) = await arrived.served()
    (record,) = [r for r in records if r.name == "shop"]
    assert answer == "TEA"
    assert header == record.request_id == span.attributes["request_id"]
    assert record.span_id == span.span_id
    assert span.attributes["http.response.status_code"] == 101


async def test_a_client_that_goes_away_is_no_server_error(
    instrumented, arrived, events_of
):
    """The span ends, says that the client is gone, and isn't marked as failed."""
    started = asyncio.Event()

    async def slow(request):
        started.set()
        while request.transport is not None:
            await asyncio.sleep(0.01)
        return web.Response(text="for nobody")

    app = web.Application()
    app.router.add_get("/slow", slow)
    client = await instrumented(app)
    asking = asyncio.create_task(client.get("/slow"))
    await started.wait()
    asking.cancel()

    (span,) = await arrived.served()
    assert events_of(span) == [("client_disconnected", {})]
    assert span.proto.status.code == 0


async def test_a_cancelled_handler_is_no_server_error(quick_export, arrived, events_of):
    """With handler_cancellation the handler is cancelled: the same."""
    started = asyncio.Event()

    async def slow(request):
        started.set()
        await asyncio.sleep(60)

    app = web.Application()
    app.router.add_get("/slow", slow)
    instrument_app(app)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slow"
    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(session.get(url))
        await started.wait()
        asking.cancel()
        (span,) = await arrived.served()
    await runner.cleanup()

    assert events_of(span) == [("client_disconnected", {})]
    assert span.proto.status.code == 0
    assert "http.response.status_code" not in span.attributes


async def test_an_unmet_expectation_has_its_span_too(instrumented, arrived, records):
    """Aiohttp answers 417 before any middleware; the id and the span are there."""
    app = web.Application()
    app.router.add_post("/{id}", ok)
    client = await instrumented(app)
    response = await client.post("/x", headers={"Expect": "tea"}, data=b"x")

    (span,) = await arrived.served()
    access = [r for r in records if r.name == "aiohttp.access"]
    assert response.status == span.attributes["http.response.status_code"] == 417
    assert response.headers["X-Request-ID"] == access[0].request_id


async def test_lines_become_span_events_if_asked(
    instrumented, arrived, events_of, records
):
    """For Jaeger, which stores no logs: each line is an event of the span it names."""

    async def handler(request):
        log.info("outer", extra={"n": 1, "shelf": {"row": 2}})
        with trace.get_tracer("shop.tests").start_as_current_span("inner"):
            log.warning("inner")
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app, span_events=True)
    await client.get("/")

    (served,) = await arrived.served()
    (inner,) = await arrived.spans(1, name="inner")
    first, access = events_of(served)
    assert first[0] == "log"
    assert first[1] == {
        "level": "INFO",
        "logger": "shop",
        "message": "outer",
        "n": 1,
        "shelf": '{"row": 2}',
    }
    assert access[1]["logger"] == "aiohttp.access"
    assert [event["message"] for _, event in events_of(inner)] == ["inner"]
