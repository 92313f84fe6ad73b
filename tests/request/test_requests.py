"""What a request gets: one span, one id, and both on each of its lines."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import threading
import uuid
import weakref

from aiohttp import web
from opentelemetry import trace

from otel_aiohttp_logs import instrument_app, request_id

log = logging.getLogger("shop")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def ok(request):
    log.info("handling %s", request.match_info.get("id", ""))
    return web.Response(text="ok")


def lines_of(records, number):
    return [
        r for r in records if r.name == "shop" and r.getMessage().endswith(f"#{number}")
    ]


async def test_interleaved_requests_are_told_apart(instrumented, records, arrived):
    """
    Of 100 requests that take turns each line has the ids of its own request, and each
    request has one span.
    """

    async def handler(request):
        number = request.match_info["n"]
        for step in ("first", "second", "third"):
            log.info("%s #%s", step, number)
            await asyncio.sleep(0)
        await asyncio.to_thread(log.info, "thread #%s", number)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, log.info, "executor #%s", number)
        await asyncio.create_task(in_task(number))
        return web.json_response({"id": request["request_id"], "now": request_id()})

    async def in_task(number):
        with trace.get_tracer("shop.tests").start_as_current_span("inner"):
            log.info("task #%s", number)

    app = web.Application()
    app.router.add_get("/orders/{n}", handler)
    client = await instrumented(app)

    async def ask(number):
        async with client.get(f"/orders/{number}") as response:
            return await response.json(), response.headers["X-Request-ID"]

    answers = await asyncio.gather(*map(ask, range(100)))

    spans = {s.attributes["url.path"]: s for s in await arrived.served(100)}
    inner = {s.trace_id: s for s in await arrived.spans(100, name="inner")}
    for number, (body, header) in enumerate(answers):
        span = spans[f"/orders/{number}"]
        own = lines_of(records, number)
        assert body == {"id": header, "now": header}
        assert uuid.UUID(header).version == 4
        assert span.attributes["request_id"] == header
        assert [r.request_id for r in own] == [header] * 6
        assert [r.trace_id for r in own] == [span.trace_id] * 6
        assert [r.span_id for r in own[:5]] == [span.span_id] * 5
        assert own[5].span_id == inner[span.trace_id].span_id
        assert inner[span.trace_id].parent_id == span.span_id


async def test_lines_arrive_with_their_ids(instrumented, records, arrived):
    """The Collector gets each line once, with the ids that stdout shows."""
    app = web.Application()
    app.router.add_get("/{id}", ok)
    client = await instrumented(app)
    for name in ("tea", "jam"):
        await client.get(f"/{name}")

    logs = await arrived.lines(2)
    stamped = [r for r in records if r.name == "shop"]
    for sent, record in zip(logs, stamped, strict=True):
        assert sent.body == record.getMessage()
        assert (sent.trace_id, sent.span_id) == (record.trace_id, record.span_id)
        assert sent.attributes == {"request_id": record.request_id}
        assert (sent.proto.severity_text, sent.proto.severity_number) == ("INFO", 9)
        assert abs(sent.proto.time_unix_nano - record.created * 1e9) < 1000


async def test_aiohttps_own_lines_belong_to_the_request(instrumented, records):
    """The access line and "Error handling request" have the request's ids."""

    async def boom(request):
        log.warning("about to fail")
        raise ValueError("no tea")

    app = web.Application()
    app.router.add_get("/boom", boom)
    client = await instrumented(app)
    response = await client.get("/boom")

    by_logger = {r.name: r for r in records}
    own, error = by_logger["shop"], by_logger["aiohttp.server"]
    access = by_logger["aiohttp.access"]
    assert response.status == 500
    assert response.headers["X-Request-ID"] == own.request_id
    for record in (error, access):
        assert (record.trace_id, record.span_id) == (own.trace_id, own.span_id)
        assert record.request_id == own.request_id


async def test_a_background_task_keeps_its_requests_ids(instrumented, arrived, records):
    """Lines that a task writes after the answer belong to the request it came from."""
    go_on, tasks = asyncio.Event(), []

    async def later():
        await go_on.wait()
        log.info("background")

    async def handler(request):
        tasks.append(asyncio.create_task(later()))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    response = await client.get("/")
    await arrived.served()
    await client.get("/")
    go_on.set()
    await asyncio.gather(*tasks)

    first = next(r for r in records if r.name == "shop")
    assert first.request_id == response.headers["X-Request-ID"]


async def test_nothing_leaks_into_the_next_request(instrumented, records):
    """Two requests on one connection: two ids, two traces; none outside of both."""
    app = web.Application()
    app.router.add_get("/{id}", ok)
    client = await instrumented(app)
    for name in ("one", "two"):
        await (await client.get(f"/{name}")).read()
    log.info("outside")

    one, two, outside = [r for r in records if r.name == "shop"]
    assert one.trace_id != two.trace_id
    assert one.request_id != two.request_id
    assert (outside.trace_id, outside.request_id) == (None, None)
    assert request_id() is None
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_trusted_header_brings_the_request_id(instrumented, records):
    """Only if the application says so, and only a valid one."""
    app = web.Application()
    app.router.add_get("/{id}", ok)
    client = await instrumented(app, request_id_header="X-Request-ID")
    sent = ["abc-1.2:3", "x" * 129, "two words", "short", ""]
    got = [
        (await client.get("/x", headers={"X-Request-ID": value})).headers[
            "X-Request-ID"
        ]
        for value in sent
    ]

    two = [("X-Request-ID", "one"), ("X-Request-ID", "two")]
    got.append((await client.get("/x", headers=two)).headers["X-Request-ID"])

    assert got[0] == "abc-1.2:3"
    assert all(re.fullmatch(r"[0-9a-f-]{36}", value) for value in got[1:])
    assert records[0].request_id == "abc-1.2:3"


async def test_an_inbound_id_is_not_trusted_by_default(instrumented):
    """A stranger can't choose the id under which we log."""
    app = web.Application()
    app.router.add_get("/{id}", ok)
    client = await instrumented(app)
    response = await client.get("/x", headers={"X-Request-ID": "mine"})

    assert uuid.UUID(response.headers["X-Request-ID"])


async def test_an_id_that_the_application_answers_with_is_kept(instrumented):
    """A header that the application set itself is not overwritten."""

    async def handler(request):
        return web.Response(headers={"X-Request-ID": "its own"})

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)

    assert (await client.get("/")).headers["X-Request-ID"] == "its own"


async def test_requests_are_freed_as_soon_as_without_us(serve, quick_export, records):
    """No reference cycle of ours: requests don't wait for the garbage collector."""
    seen = {True: [], False: []}

    def app_that_notes(instrument):
        async def handler(request):
            seen[instrument].append(weakref.ref(request))
            log.info("handling")
            if request.query:
                raise ValueError
            return web.Response()

        app = web.Application()
        app.router.add_get("/", handler)
        if instrument:
            instrument_app(app)
        return app

    clients = {kind: await serve(app_that_notes(kind)) for kind in (True, False)}
    gc.collect()
    gc.disable()
    try:
        for client in clients.values():
            for path in ("/", "/?fail=1", "/"):
                await (await client.get(path)).read()
            await client.close()
            records.clear()
        left = {kind: [ref() for ref in refs if ref()] for kind, refs in seen.items()}
    finally:
        gc.enable()

    assert len(seen[True]) == len(seen[False]) == 3
    assert len(left[True]) == len(left[False])


async def test_a_thread_of_its_own_takes_a_copied_context(instrumented, records):
    """What the README says of threading.Thread works: run it in a copied context."""
    from contextvars import copy_context

    async def handler(request):
        thread = threading.Thread(
            target=copy_context().run, args=(log.info, "from a thread")
        )
        thread.start()
        await asyncio.to_thread(thread.join)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    response = await client.get("/")

    (record,) = [r for r in records if r.name == "shop"]
    assert record.request_id == response.headers["X-Request-ID"]
