"""``step``: a child span, and one line at its end that says how it went."""

from __future__ import annotations

import asyncio
import inspect
import logging

import pytest
from aiohttp import web

from otel_aiohttp_logs import bind, bound, step

log = logging.getLogger("shop")
HERE = __name__


def app_with(handler):
    app = web.Application()
    app.router.add_get("/{n}", handler)
    return app


async def test_a_span_and_a_line(instrumented, arrived, said, records):
    """
    The span is a child of the request's with the fields and those that are bound; the
    line at its end has them, duration and outcome, and says where the step stands.
    """

    async def handler(request):
        bind(user=7)
        with step("charge card", order=1):
            log.info("inside")
            async with step("ask bank", name="b"), bound(page=2):
                await asyncio.sleep(0.01)
                log.info("innermost")
        log.info("after")
        return web.Response()

    client = await instrumented(app_with(handler))
    await client.get("/1")

    (served,) = await arrived.served()
    (charge,) = await arrived.spans(1, name="charge card")
    (ask,) = await arrived.spans(1, name="ask bank")
    assert (charge.parent_id, ask.parent_id) == (served.span_id, charge.span_id)
    assert (charge.proto.kind, charge.scope) == (1, served.scope)
    assert charge.attributes == {"user": 7, "order": 1}
    assert ask.attributes == {"user": 7, "name": "b"}
    assert said("inside") == {"user": 7, "step": "charge card"}
    assert said("innermost") == {"user": 7, "step": "ask bank", "page": 2}
    assert said("after") == {"user": 7}

    lines = await arrived.lines(2, scope=HERE)
    by_step = {line.attributes["step"]: line for line in lines}
    for name, span, field in (
        ("charge card", charge, {"order": 1}),
        ("ask bank", ask, {"name": "b"}),
    ):
        shown = said(f"{name}: ok")
        sent = by_step[name]
        assert 0.01 <= shown.pop("duration") < 5
        assert shown == {"user": 7, "step": name, "outcome": "ok", **field}
        assert (sent.span_id, sent.trace_id) == (span.span_id, served.trace_id)
        assert sent.body == f"{name}: ok"
        assert {**shown, **sent.attributes} == sent.attributes
    (record,) = [r for r in records if r.getMessage() == "charge card: ok"]
    lines, first = inspect.getsourcelines(handler)
    assert record.funcName == "handler"
    assert record.pathname == __file__
    assert "charge card" in lines[record.lineno - first]


async def test_a_failure(instrumented, arrived, said, records):
    """
    It's logged once at ERROR with its traceback, by the innermost step, is on the
    spans, and comes out as it was.
    """
    error = LookupError("no such card")
    came_out = []

    async def handler(request):
        try:
            with step("outer"):
                await asyncio.gather(charge())
        except LookupError as raised:
            came_out.append(raised)
        return web.Response()

    @step("inner", order=1)
    async def charge():
        raise error

    client = await instrumented(app_with(handler))
    await client.get("/1")

    assert came_out == [error]
    spans = [(await arrived.spans(1, name=n))[0] for n in ("inner", "outer")]
    for span in spans:
        assert span.proto.status.code == 2
        assert span.attributes["error.type"] == "LookupError"
        assert [e.name for e in span.proto.events] == ["exception"]
    (inner,), (outer,) = said.lines("inner: failed"), said.lines("outer: failed")
    assert (inner["level"], outer["level"]) == ("ERROR", "ERROR")
    assert inner["exception"]["message"] == "no such card"
    assert "raise error" in inner["exception"]["stack"]
    assert "exception" not in outer
    assert inner["order"] == 1


async def test_cancelled(instrumented, arrived, said):
    """A cancellation is no error, and neither is a timeout around the step."""

    async def handler(request):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(slow(), 0.01)
        return web.Response()

    @step("slow")
    async def slow():
        await asyncio.sleep(60)

    client = await instrumented(app_with(handler))
    await client.get("/1")

    (span,) = await arrived.spans(1, name="slow")
    (line,) = said.lines("slow: cancelled")
    assert (line["level"], line["outcome"]) == ("INFO", "cancelled")
    assert "exception" not in line
    assert (span.proto.status.code, list(span.proto.events)) == (0, [])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(web.HTTPFound, "ok"), (web.HTTPNotFound, "ok"), (web.HTTPBadGateway, "failed")],
)
def test_http_exceptions(stamped, said, error, outcome):
    """Those that are answers are control flow; those from 500 on are failures."""
    with pytest.raises(error), step("look up"):
        raise error(*["/"] if error is web.HTTPFound else [])

    assert said(f"look up: {outcome}")["outcome"] == outcome


async def test_outside_of_requests(instrumented, arrived, said):
    """A worker's step is a root span, of the provider that everybody uses."""

    async def worker():
        with step("refresh prices"), step("ask"):
            log.info("asking")

    async def handler(request):
        return web.Response()

    client = await instrumented(app_with(handler))
    await client.get("/1")
    await asyncio.create_task(worker())

    (root,) = await arrived.spans(1, name="refresh prices")
    (child,) = await arrived.spans(1, name="ask")
    assert root.parent_id == ""
    assert child.parent_id == root.span_id
    assert said("asking", ids=True)["span_id"] == child.span_id


async def test_the_provider_of_the_request(quick_export, serve, arrived, said):
    """Steps are spans of the provider that was given to ``instrument_app``."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
        InMemorySpanExporter,
    )

    from otel_aiohttp_logs import instrument_app

    async def handler(request):
        with step("given", cart={"tea": 1}):
            pass
        return web.Response()

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = app_with(handler)
    instrument_app(app, tracer_provider=provider)
    client = await serve(app)
    await client.get("/1")

    (span,) = [s for s in exporter.get_finished_spans() if s.name == "given"]
    assert span.attributes == {"cart": '{"tea": 1}'}
