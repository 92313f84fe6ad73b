"""Requests that start threads and jobs, on each event loop that people use."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from hooks.raw import app_with_ok

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


@pytest.fixture
async def started():
    """Start applications as web.run_app does; they end with the test."""
    runners = []

    async def start(app, **options):
        runner = web.AppRunner(app, **options)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner.addresses[0][:2]

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def quietly(monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    def instrument(app=None, **options):
        app = app or app_with_ok()
        instrument_app(app, output="none", **options)
        return app

    return instrument
