"""``bind``: fields that belong to the request, wherever its work is done."""

from __future__ import annotations

import asyncio
import logging
import sys

from aiohttp import web
from opentelemetry import trace

from otel_aiohttp_logs import bind, instrument_app, step

log = logging.getLogger("shop")
ACCESS = "aiohttp.access"


def app_with(handler, *middlewares):
    app = web.Application(middlewares=middlewares)
    app.router.add_get("/{n}", handler)
    return app


def request_id(span):
    return span.attributes["request_id"]


def told(fields):
    """Return *fields* as the console form shows them."""
    return "  " + " ".join(f"{k}={v}" for k, v in fields.items())


async def test_interleaved_requests_never_mix(instrumented, records, arrived, said):
    """
    Of 200 requests that take turns, each line has the fields of its own request and
    task, and each span has its request's.
    """

    async def sibling(number, name):
        bind(sibling=name)
        await asyncio.sleep(0)
        log.info("sibling %s %s", number, name)

    async def handler(request):
        number = int(request.match_info["n"])
        bind(order=number)
        await asyncio.sleep(0)
        log.info("first %s", number)
        await asyncio.gather(sibling(number, "a"), sibling(number, "b"))
        await asyncio.to_thread(log.info, "thread %s", number)
        with step("last", order=-number):
            log.info("last %s", number)
        return web.Response()

    client = await instrumented(app_with(handler))
    await asyncio.gather(*(client.get(f"/{n}") for n in range(200)))

    spans = {s.attributes["url.path"]: s for s in await arrived.served(200)}
    sent = {line.body: line for line in await arrived.lines(1000)}
    steps = {s.trace_id: s for s in await arrived.spans(200, name="last")}
    events = {line.trace_id: line for line in await arrived.lines(200, scope=ACCESS)}
    ends = {line.trace_id: line for line in await arrived.lines(200, scope=__name__)}
    for number in range(200):
        own = {"order": number}
        expected = {
            f"first {number}": own,
            f"sibling {number} a": {**own, "sibling": "a"},
            f"sibling {number} b": {**own, "sibling": "b"},
            f"thread {number}": own,
            f"last {number}": {**own, "step": "last"},
        }
        span = spans[f"/{number}"]
        assert {message: said(message) for message in expected} == expected
        for message, fields in expected.items():
            line = sent[message]
            assert line.trace_id == span.trace_id
            assert line.attributes == {**fields, "request_id": request_id(span)}
            assert said.console(message).endswith(told(fields))
        assert span.attributes["order"] == number
        assert span.attributes["sibling"] == "b"
        event, end = events[span.trace_id], ends[span.trace_id]
        assert (event.attributes["order"], event.attributes["sibling"]) == (number, "b")
        assert (end.attributes["order"], end.attributes["step"]) == (-number, "last")
        assert steps[span.trace_id].attributes == {"order": -number}
        assert end.span_id == steps[span.trace_id].span_id


async def test_after_the_handler(instrumented, said):
    """
    The lines of outer middlewares and aiohttp's own have the fields, and so have the
    lines after a span under which they were bound.
    """

    @web.middleware
    async def outer(request, handler):
        try:
            return await handler(request)
        finally:
            log.info("outer")

    async def handler(request):
        with trace.get_tracer("shop").start_as_current_span("who is it"):
            bind(user=7)
            bind(user=8, plan="free")
            log.info("inside")
        log.info("after")
        raise LookupError("no such order")

    client = await instrumented(app_with(handler, outer))
    response = await client.get("/1")

    assert response.status == 500
    for message in (
        "inside",
        "after",
        "outer",
        "Error handling request from 127.0.0.1",
    ):
        assert said(message) == {"user": 8, "plan": "free"}, message


async def test_the_next_request_of_a_connection_starts_without(instrumented, said):
    """A keep-alive connection's next request has nothing of the one before."""

    async def handler(request):
        log.info("begin %s", request.path)
        bind(**{request.path[1:]: 1})
        log.info("end %s", request.path)
        return web.Response()

    client = await instrumented(app_with(handler))
    for path in ("/a", "/b"):
        await (await client.get(path)).read()

    assert said("begin /a") == {}
    assert said("end /a") == {"a": 1}
    assert said("begin /b") == {}
    assert said("end /b") == {"b": 1}


async def test_tasks_that_are_started_later(instrumented, said):
    """A task has what was bound when it was started, and binds for itself."""

    async def child(name):
        bind(child=name)
        await asyncio.sleep(0)
        log.info("child %s", name)

    async def handler(request):
        early = asyncio.create_task(child("early"))
        bind(user=7)
        await early
        await asyncio.shield(child("shielded"))
        await asyncio.wait_for(asyncio.create_task(child("limited")), 5)
        if sys.version_info >= (3, 11):
            async with asyncio.TaskGroup() as group:
                group.create_task(child("grouped"))
        log.info("parent")
        return web.Response()

    client = await instrumented(app_with(handler))
    await client.get("/1")

    assert said("child early") == {"child": "early"}
    for name in ("shielded", "limited"):
        assert said(f"child {name}") == {"user": 7, "child": name}
    if sys.version_info >= (3, 11):
        assert said("child grouped") == {"user": 7, "child": "grouped"}
    assert said("parent") == {"user": 7}


async def test_outside_of_requests(quick_export, serve, records, said):
    """
    A worker may bind, too; what was bound before a server started isn't on the lines
    of its requests.
    """

    async def handler(request):
        log.info("handling")
        bind(user=7)
        log.info("bound")
        return web.Response()

    async def worker():
        bind(worker=3)
        log.info("working")

    app = app_with(handler)
    instrument_app(app)
    bind(started_by="me")
    client = await serve(app)
    log.info("started")
    await client.get("/1")
    await asyncio.create_task(worker())

    assert said("started") == {"started_by": "me"}
    assert said("handling") == {}
    assert said("bound") == {"user": 7}
    assert said("working") == {"started_by": "me", "worker": 3}


async def test_of_work_that_goes_on_after_the_end(instrumented, arrived, said, records):
    """What is bound after the end is on the lines, and does no harm to the span."""
    goes_on = []

    async def after(ended):
        await ended.wait()
        bind(late=True)
        log.info("late")

    async def handler(request):
        bind(user=7)
        ended = asyncio.Event()
        goes_on.append((asyncio.create_task(after(ended)), ended))
        return web.Response()

    client = await instrumented(app_with(handler))
    await client.get("/1")
    (span,) = await arrived.served()
    ((task, ended),) = goes_on
    ended.set()
    await task

    fields = said("late")
    assert fields.pop("request.ended_after") > 0
    assert fields == {"user": 7, "late": True, "request.ended": True}
    assert span.attributes["user"] == 7
    assert "late" not in span.attributes
    assert [r for r in records if r.levelno >= logging.WARNING] == []
