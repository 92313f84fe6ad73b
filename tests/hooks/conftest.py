"""Requests that start threads and jobs, on each event loop that people use."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from otel_aiohttp_logs import instrument_app

try:
    import uvloop
except ImportError:  # none for this Python
    uvloop = None


def pytest_asyncio_loop_factories(config, item):
    """Run each test on both loops."""
    loops = {"asyncio": asyncio.new_event_loop}
    if uvloop is not None:
        loops["uvloop"] = uvloop.new_event_loop
    return loops


@pytest.fixture
def asked(serve, monkeypatch):
    """
    Serve *work* as the one handler of an application, ask for it, and return the id
    of that request.
    """
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    async def ask(work, **options):
        async def handler(_):
            await work()
            return web.Response()

        app = web.Application()
        app.router.add_get("/", handler)
        instrument_app(app, output="none", **options)
        client = await serve(app)
        async with client.get("/") as response:
            assert response.status == 200
            return response.headers["X-Request-ID"]

    return ask


@pytest.fixture
def said(records):
    """What the lines of the logger shop say, and their request's ids."""

    def ids():
        return [(r.getMessage(), r.request_id) for r in records if r.name == "shop"]

    return ids
