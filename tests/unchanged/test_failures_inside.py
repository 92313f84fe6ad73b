"""
An error inside our own code: the request is served all the same; it's said once, and
each is counted. It's forced where an application hands us something that raises.
"""

from __future__ import annotations

import logging

import pytest
from aiohttp import web
from opentelemetry import propagate
from unchanged_hostile import (
    LOGGING,
    TRACING,
    BrokenError,
    BrokenPropagator,
    BrokenTracers,
    Unspeakable,
)

from otel_aiohttp_logs import _instrumented, bind, instrument_app, stats, step

log = logging.getLogger("shop")


async def plain(request):
    log.info("served", extra={"number": 7})
    return web.Response(text="fine")


async def error(request):
    raise BrokenError


async def streamed(request):
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"streamed")
    return response


async def echo(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await ws.send_str(message.data.upper())
    return ws


def make_app():
    app = web.Application()
    app.router.add_get("/", plain)
    app.router.add_get("/error", error)
    app.router.add_get("/streamed", streamed)
    app.router.add_get("/ws", echo)
    return app


@pytest.fixture(autouse=True)
def _never_said():
    """The first failure of a process is said, and each test is to see its first."""
    _instrumented.TALLY.failures = 0


@pytest.fixture
def warnings(records):
    """Return a function: what was said about failures of ours."""

    def warnings():
        return [r for r in records if r.msg.endswith("_telemetry_failed")]

    return warnings


async def ask_all(client):
    """Return what a client of each kind of request gets."""
    answers = []
    for path in ("/", "/error", "/streamed", "/nowhere", "/"):
        async with client.get(path, headers={"X-BrokenError": path}) as response:
            answers.append((response.status, await response.text()))
    async with client.ws_connect("/ws") as ws:
        await ws.send_str("hello")
        answers.append((101, await ws.receive_str()))
    return answers


SERVED = [
    (200, "fine"),
    (500, "500 Internal Server Error\n\nServer got itself in trouble"),
    (200, "streamed"),
    (404, "404: Not Found"),
    (200, "fine"),
    (101, "HELLO"),
]


@pytest.mark.parametrize("spans", [False, True], ids=["", "websocket spans"])
@pytest.mark.parametrize("name", TRACING)
async def test_tracing_that_raises(serve, quick_export, warnings, name, spans):
    """Each request is served; the first failure is said, all of them are counted."""
    app = make_app()
    instrument_app(app, output="none", websocket_spans=spans, **TRACING[name])
    client = await serve(app)

    assert await ask_all(client) == SERVED
    await client.close()
    assert stats().telemetry_failures > 0
    assert len(warnings()) == 1
    assert warnings()[0].exc_info[0] is BrokenError


@pytest.mark.parametrize("name", LOGGING)
async def test_logging_that_raises(serve, quick_export, warnings, capsys, name):
    """As above; and logging's own report of it doesn't fill stderr."""
    app = make_app()
    instrument_app(app, output="none", **LOGGING[name])
    client = await serve(app)

    assert await ask_all(client) == SERVED
    await client.close()
    assert stats().telemetry_failures >= 7
    assert len(warnings()) == 1
    assert capsys.readouterr().err == ""


async def test_a_propagator_that_raises(serve, quick_export, records):
    """The application's own: each request has its span, and it's said once."""
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(BrokenPropagator())
    try:
        app = make_app()
        instrument_app(app, output="none")
        client = await serve(app)

        assert await ask_all(client) == SERVED
        assert stats().spans.emitted == len(SERVED)
        assert [r.msg for r in records if r.msg.startswith("prop")] == [
            "propagator_failed"
        ]
    finally:
        propagate.set_global_textmap(before)


async def test_values_that_say_nothing(instrumented, warnings, arrived):
    """Whatever is logged, bound and given to a step, the request is served."""

    async def hostile(request):
        # Not in the message, which logging itself can't make a text of.
        log.info("one", extra={"it": Unspeakable(), "request_id": Unspeakable()})
        bind(it=Unspeakable(), many=[Unspeakable()])
        with step("hostile", it=Unspeakable()):
            log.info("two")
        raise web.HTTPOk(text="fine")

    app = web.Application()
    app.router.add_get("/", hostile)
    client = await instrumented(app, output="none")
    async with client.get("/") as response:
        assert (response.status, await response.text()) == (200, "fine")

    assert len(await arrived.lines(2)) == 2
    assert warnings() == []
    assert stats().telemetry_failures == 0


async def test_a_span_without_a_context(serve, quick_export, records, arrived):
    """Of an SDK that isn't one: the lines have no trace, but their request's id."""
    app = make_app()
    provider = BrokenTracers("get_span_context")
    instrument_app(app, output="none", tracer_provider=provider)
    client = await serve(app)

    assert await ask_all(client) == SERVED
    lines = await arrived.lines(2)
    assert all(len(line.attributes["request_id"]) == 36 for line in lines)


async def test_a_resource_without_a_name(instrumented, warnings):
    """A resource of the application's own class, the name of which can't be asked."""

    class Nameless(web.PlainResource):
        @property
        def canonical(self):
            if served:
                raise BrokenError
            return "/"

    served = []
    app = web.Application()
    resource = Nameless("/")
    app.router.register_resource(resource)
    resource.add_route("GET", plain)
    client = await instrumented(app, output="none")
    served.append(True)
    async with client.get("/") as response:
        assert (response.status, await response.text()) == (200, "fine")

    assert stats().telemetry_failures > 0
    assert len(warnings()) == 1


async def test_after_a_failure(serve, quick_export, warnings):
    """What failed for one request is whole for the next one."""
    app, provider = make_app(), BrokenTracers("start_span")
    instrument_app(app, output="none", tracer_provider=provider)
    client = await serve(app)
    async with client.get("/") as response:
        before = response.headers.get("X-Request-ID")
    provider._names = ()
    async with client.get("/") as response:
        after = response.headers.get("X-Request-ID")

    assert before is None or before != after
    assert after is not None
