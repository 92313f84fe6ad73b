"""A record has the ids of where it was logged, whoever handles it in the end."""

from __future__ import annotations

import logging
import logging.handlers

import pytest
from aiohttp import web

log = logging.getLogger("shop.kept")


class ToRoot(logging.Handler):
    def emit(self, record):
        logging.getLogger().handle(record)


@pytest.fixture
def memory(records):
    """What keeps the lines of the logger shop.kept, until somebody flushes it."""
    handler = logging.handlers.MemoryHandler(1000, target=ToRoot())
    log.addHandler(handler)
    log.propagate = False
    yield handler
    handler.close()
    log.removeHandler(handler)
    log.propagate = True


async def test_a_record_that_another_request_handles(instrumented, arrived, memory):
    """
    In the Collector, too, a line of nobody's has no ids, and a line of one request has
    its own, though another request writes both.
    """

    async def start(_):
        log.info("starting")

    async def keep(request):
        log.info("kept")
        return web.Response()

    async def write(request):
        memory.flush()
        return web.Response()

    app = web.Application()
    app.on_startup.append(start)
    app.router.add_get("/keep", keep)
    app.router.add_get("/write", write)
    client = await instrumented(app)
    first = await client.get("/keep")
    await client.get("/write")

    lines = {line.body: line for line in await arrived.lines(2, scope="shop.kept")}
    spans = {s.attributes["url.path"]: s for s in await arrived.served(2)}
    assert (lines["starting"].trace_id, lines["starting"].span_id) == ("", "")
    assert "request_id" not in lines["starting"].attributes
    assert lines["kept"].trace_id == spans["/keep"].trace_id
    assert lines["kept"].attributes["request_id"] == first.headers["X-Request-ID"]
