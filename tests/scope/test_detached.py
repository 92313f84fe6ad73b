"""``detached``: what is begun in it belongs to nobody."""

from __future__ import annotations

import asyncio
import logging
import threading

from aiohttp import web
from opentelemetry import baggage, trace
from opentelemetry.context import attach

from otel_aiohttp_logs import bind, bound, detached, request_id

log = logging.getLogger("shop")
NO_IDS = dict.fromkeys(("trace_id", "span_id", "trace_flags", "request_id"))


async def test_what_is_begun_in_it_belongs_to_nobody(instrumented, arrived, said):
    """A worker, a thread and a call begun in it have no ids, no fields, no baggage."""
    workers = []

    async def worker():
        await asyncio.sleep(0)
        with trace.get_tracer("shop").start_as_current_span("work"):
            pass
        log.info("worker %s", baggage.get_all())

    @detached()
    async def begun(name):
        await asyncio.sleep(0)
        log.info(name)
        return request_id()

    async def handler(request):
        attach(baggage.set_baggage("plan", "free"))
        bind(user=7)
        with bound(page=1), detached():
            workers.append(asyncio.create_task(worker()))
            thread = threading.Thread(target=log.info, args=("thread",))
            thread.start()
            await asyncio.to_thread(log.info, "to_thread")
            asyncio.get_running_loop().call_soon(log.info, "soon")
            bind(inside=True)
            log.info("inside")
        assert await begun("decorated") is None
        thread.join()
        log.info("after %s", baggage.get_all())
        return web.json_response(request_id())

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    response = await client.get("/")
    await asyncio.gather(*workers)

    (served,) = await arrived.served()
    (work,) = await arrived.spans(1, name="work")
    assert (work.parent_id, work.trace_id == served.trace_id) == ("", False)
    for message in ("worker {}", "thread", "to_thread", "soon", "decorated"):
        fields = said(message, ids=True)
        assert {**NO_IDS, **fields} == NO_IDS, message
    assert said("inside", ids=True) == {"inside": True}
    after = said("after {'plan': 'free'}", ids=True)
    assert after["request_id"] == await response.json()
    assert after["trace_id"] == served.trace_id
    assert after["user"] == 7
    assert after.keys() == {*NO_IDS, "user"}
    assert "inside" not in served.attributes


async def test_a_generator_that_is_left_elsewhere(instrumented, records, said):
    """A block that another task leaves is silent, and all others stay as they are."""

    async def rows():
        with detached():
            log.info("detached")
            yield 1

    async def handler(request):
        generator = rows()
        await asyncio.create_task(anext_of(generator))
        log.info("between")
        await generator.aclose()
        log.info("after")
        return web.Response()

    async def anext_of(generator):
        return await generator.__anext__()

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    response = await client.get("/")

    request = response.headers["X-Request-ID"]
    assert "request_id" not in said("detached", ids=True)
    assert said("between", ids=True)["request_id"] == request
    assert said("after", ids=True)["request_id"] == request
    assert [r for r in records if r.levelno >= logging.WARNING] == []


async def test_outside_of_requests(stamped, said):
    """There is nothing to leave but what was bound, and that comes back."""
    bind(worker=3)

    with detached():
        log.info("inside")
    log.info("after")

    assert said("inside") == {}
    assert said("after") == {"worker": 3}
