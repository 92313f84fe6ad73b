"""A process whose application ends and starts again, as in reloads and in tests."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web
from opentelemetry import trace

from otel_aiohttp_logs import flush, instrument_app

log = logging.getLogger("shop")


async def ok(request):
    log.info("handling %s", request.query["n"])
    tracer = trace.get_tracer("shop")
    with tracer.start_as_current_span(f"inner {request.query['n']}"):
        return web.Response()


def application(pipeline):
    app = web.Application()
    app.router.add_get("/", ok)
    instrument_app(app, pipeline=pipeline, access_log="none")
    return app


async def test_the_second_start_exports_as_the_first(
    serve, quick_export, collector, records, pipeline
):
    """Spans, by the global tracer too, and lines: each once, by each start."""
    for n in range(3):
        client = await serve(application(pipeline))
        await client.get("/", params={"n": n})
        await client.close()

    assert [line.body for line in collector.logs] == [f"handling {n}" for n in range(3)]
    assert sorted(span.name for span in collector.spans) == [
        *["GET /"] * 3,
        *(f"inner {n}" for n in range(3)),
    ]


async def test_flush_after_a_second_start(
    serve, quick_export, collector, records, pipeline, monkeypatch
):
    """What the second one has queued is sent at once."""
    client = await serve(application(pipeline))
    await client.close()
    for processor in ("BSP", "BLRP"):
        monkeypatch.setenv(f"OTEL_{processor}_SCHEDULE_DELAY", "60000")
    client = await serve(application(pipeline))
    await client.get("/", params={"n": 7})

    assert await asyncio.to_thread(flush, 5)
    assert [line.body for line in collector.logs] == ["handling 7"]
    assert len(collector.spans) == 2
