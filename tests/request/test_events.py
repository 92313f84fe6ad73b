"""One wide event for each request, in place of aiohttp's access line."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.context import get_current

from otel_aiohttp_logs import instrument_app, stats
from otel_aiohttp_logs.scope.request import REQUEST

ACCESS = "aiohttp.access"
PROGRAM = """
import asyncio, logging, sys
from aiohttp import ClientSession, web
from otel_aiohttp_logs import instrument_app

async def ok(request):
    return web.Response(text="hello")

async def main(app):
    app.router.add_get("/orders/{id}", ok)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/orders/7?token=secret"
        await (await session.get(url)).read()
    print(logging.getLogger("aiohttp.access").level, file=sys.stderr)
    await runner.cleanup()
    print(logging.getLogger("aiohttp.access").level, file=sys.stderr)

app = web.Application()
"""


@pytest.fixture(autouse=True)
def _access_lines_are_wanted():
    """Pytest's handlers are an application's, and so is the root logger's level."""
    logger = logging.getLogger(ACCESS)
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(logging.NOTSET)


def run(setup):
    """Run a program of its own, and return its lines on stdout and on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", f"{PROGRAM}\n{setup}\nasyncio.run(main(app))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"OTEL_SDK_DISABLED": "true", "PYTHONPATH": ":".join(sys.path)},
    )
    return done.stdout.splitlines(), done.stderr.splitlines()


def app_with(handler):
    app = web.Application()
    app.router.add_get("/orders/{id}", handler)
    return app


async def ok(request):
    return web.Response(text="hello")


async def test_what_an_event_says(instrumented, arrived):
    """Route, status, bytes, times and outcome as fields, and the request's own ids."""
    client = await instrumented(app_with(ok))
    response = await client.get("/orders/7?token=secret")

    (span,) = await arrived.served()
    (event,) = await arrived.lines(1, scope=ACCESS)
    shown = event.attributes
    assert event.proto.event_name == "http.server.request"
    assert event.body == "GET /orders/7 200"
    assert event.proto.severity_text == "INFO"
    assert (event.trace_id, event.span_id) == (span.trace_id, span.span_id)
    assert shown["request_id"] == response.headers["X-Request-ID"]
    assert shown["http.request.method"] == "GET"
    assert shown["http.route"] == "/orders/{id}"
    assert shown["http.response.status_code"] == 200
    assert shown["http.response.size"] > len("hello")
    assert 0 < shown["time_to_first_byte"] <= shown["duration"] < 60
    assert shown["outcome"] == "ok"
    assert shown["url.query"] == "token=REDACTED"


@pytest.mark.parametrize(
    ("status", "level", "outcome"),
    [(302, "INFO", "ok"), (404, "WARNING", "client_error"), (503, "ERROR", None)],
)
async def test_the_level_says_how_it_went(
    instrumented, arrived, status, level, outcome
):
    """By the status that was sent."""

    async def handler(request):
        return web.Response(status=status)

    client = await instrumented(app_with(handler))
    await client.get("/orders/7", allow_redirects=False)

    (event,) = await arrived.lines(1, scope=ACCESS)
    assert event.proto.severity_text == level
    assert event.attributes["outcome"] == outcome or outcome is None
    assert ("error.type" in event.attributes) is (status >= 500)


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [(ValueError, 500, "server_error"), (asyncio.TimeoutError, 504, "timeout")],
)
async def test_an_exception_has_its_type(instrumented, arrived, error, status, outcome):
    """What the application didn't handle is named, with the status that was sent."""

    async def handler(request):
        raise error

    client = await instrumented(app_with(handler))
    await client.get("/orders/7")

    (event,) = await arrived.lines(1, scope=ACCESS)
    (span,) = await arrived.served()
    assert event.proto.severity_text == "ERROR"
    assert event.attributes["http.response.status_code"] == status
    assert event.attributes["outcome"] == outcome
    for attributes in (event.attributes, span.attributes):
        assert attributes["error.type"] == error.__qualname__


async def test_what_was_bound_is_on_the_event(instrumented, arrived):
    """In whatever task; one that is named like a field of the event's is kept, too."""

    async def handler(request):
        get_current()[REQUEST].bound.update({"user_id": 7, "outcome": "sold"})
        return web.Response()

    client = await instrumented(app_with(handler))
    await client.get("/orders/7")

    (event,) = await arrived.lines(1, scope=ACCESS)
    assert event.attributes["user_id"] == 7
    assert event.attributes["outcome"] == "ok"
    assert event.attributes["extra.outcome"] == "sold"


@pytest.mark.parametrize("handler_cancellation", [True, False])
async def test_a_client_that_leaves_has_an_event(
    quick_export, arrived, handler_cancellation
):
    """Though aiohttp may write no line then; and it's not the server's failure."""
    started = asyncio.Event()

    async def slow(request):
        started.set()
        while request.transport is not None:
            await asyncio.sleep(0.01)
        return web.Response(text="for nobody")

    app = app_with(slow)
    instrument_app(app)
    runner = web.AppRunner(app, handler_cancellation=handler_cancellation)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/orders/7"
    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(session.get(url))
        await started.wait()
        asking.cancel()
        (event,) = await arrived.lines(1, scope=ACCESS)
        (span,) = await arrived.served()
    await runner.cleanup()

    assert event.attributes["outcome"] == "disconnected"
    assert "http.response.status_code" not in {**event.attributes, **span.attributes}
    assert event.proto.severity_text == "INFO"
    assert event.attributes["error.type"] == span.attributes["error.type"]
    assert span.proto.status.code == 0


async def test_a_cancellation_by_the_server(quick_export, arrived):
    """A request that the shutdown cuts off is neither the client's nor an error."""
    started = asyncio.Event()

    async def endless(request):
        started.set()
        await asyncio.sleep(60)

    app = app_with(endless)
    instrument_app(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/orders/7"
    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(session.get(url))
        await started.wait()
        await runner.cleanup()
        (event,) = await arrived.lines(1, scope=ACCESS)
        await asyncio.wait([asking])
        assert asking.exception()

    assert event.attributes["outcome"] in {"cancelled", "disconnected"}
    assert event.attributes["error.type"] == "CancelledError"


async def test_quiet_routes(instrumented, arrived):
    """Health checks are silent while they are fine, and heard when they fail."""
    healthy = True

    async def health(request):
        return web.Response(status=200 if healthy else 503)

    app = app_with(ok)
    app.router.add_get("/health", health)
    app.router.add_get("/static/{name}", ok)
    client = await instrumented(app, quiet_routes=["/health", "/static/*"])
    for path in ("/health", "/static/x", "/orders/7"):
        await client.get(path)
    healthy = False
    await client.get("/health")

    events = await arrived.lines(2, scope=ACCESS)
    assert [e.body for e in events] == ["GET /orders/7 200", "GET /health 503"]
    await arrived.served(4)


async def test_the_classic_line(instrumented, arrived):
    """Stays as it is, if so configured; only what has none gets an event."""
    client = await instrumented(app_with(ok), access_log="classic")
    await client.get("/orders/7")

    (line,) = await arrived.lines(1, scope=ACCESS)
    assert '"GET /orders/7 HTTP/1.1" 200' in line.body
    assert line.proto.event_name == ""


async def test_none(instrumented, arrived):
    """Neither of them."""
    client = await instrumented(app_with(ok), access_log="none")
    await client.get("/orders/7")
    logging.getLogger("shop").warning("the only line")

    await arrived.lines(1)
    await arrived.lines(0, scope=ACCESS)


async def test_the_applications_handlers_hear_aiohttps_line(instrumented, records):
    """A handler of the application's gets what it gets without us, and no event."""
    client = await instrumented(app_with(ok))
    await client.get("/orders/7")

    (line,) = [r for r in records if r.name == ACCESS]
    assert '"GET /orders/7 HTTP/1.1" 200' in line.getMessage()


def test_aiohttp_makes_no_line_for_nobody():
    """Its logger is off while only we would hear it, and as before afterwards."""
    out, levels = run('instrument_app(app, output="json")')

    (line,) = map(json.loads, out)
    assert line["logger"] == ACCESS
    assert line["event_name"] == "http.server.request"
    assert line["message"] == "GET /orders/7 200"
    assert line["http.response.status_code"] == 200
    assert levels == ["51", "0"]


def test_a_level_of_the_applications_holds_for_events():
    """WARNING on the access logger silences those of requests that went well."""
    level = 'logging.getLogger("aiohttp.access").setLevel(logging.WARNING)'
    out, levels = run(f'{level}\ninstrument_app(app, output="json")')

    assert out == []
    assert levels == ["30", "30"]


def test_on_the_console_an_event_is_short():
    """What its message says isn't there twice."""
    out, _ = run('instrument_app(app, output="console")')

    (line,) = out
    assert "GET /orders/7 200" in line
    assert "duration=" in line
    assert "user_agent" not in line


async def test_replaced_ids_are_counted(instrumented):
    """A trusted header with what is no id: counted, never shown."""
    before = stats().request_ids_replaced
    client = await instrumented(app_with(ok), request_id_header="X-Request-ID")
    for sent in ("short", "good-enough", "not good enough"):
        await client.get("/orders/7", headers={"X-Request-ID": sent})

    assert stats().request_ids_replaced == before + 2


async def test_what_an_id_must_match(instrumented):
    """The application's own pattern; it can't let in what would break a header."""
    client = await instrumented(
        app_with(ok), request_id_header="X-Req", request_id_pattern=r"\d+|.*ü"
    )
    got = [
        (await client.get("/orders/7", headers={"X-Req": sent})).headers["X-Request-ID"]
        for sent in ("12", "abcdefgh", "ü")
    ]

    assert got[0] == "12"
    assert [len(value) for value in got[1:]] == [36, 36]
