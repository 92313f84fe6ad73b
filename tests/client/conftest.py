"""A service that says what it was sent, and sessions whose spans can be looked at."""

from __future__ import annotations

import asyncio
import logging
import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_aiohttp_logs import client_trace_config


class Loopback(AbstractResolver):
    """Every name leads to 127.0.0.1."""

    async def resolve(self, host, port=0, family=0):
        found = {"hostname": host, "host": "127.0.0.1", "port": port}
        return [found | {"family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self):
        """Nothing is open."""


class Stock:
    """The called service, at ``127.0.0.1`` and under other names."""

    def __init__(self):
        self.heard = []
        self.port = None
        self.app = web.Application()
        self.app.router.add_route("*", "/status/{status}", self._status)
        self.app.router.add_route("*", "/redirect", self._redirect)
        self.app.router.add_get("/loop", self._redirect)
        self.app.router.add_get("/slow", self._slow)
        self.app.router.add_route("*", "/drop", self._drop)

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def redirect(self, to, status=302):
        """The URL of a redirect to *to*."""
        there = to if "://" in to else self.url(to)
        query = {"to": there, "status": str(status)}
        return str(aiohttp.client.URL(self.url("/redirect")).with_query(query))

    def headers(self, name):
        """The values of a header in each request so far, None where it was missing."""
        return [request.headers.get(name) for request in self.heard]

    async def _status(self, request):
        self.heard.append(request)
        await request.read()
        return web.Response(status=int(request.match_info["status"]))

    async def _redirect(self, request):
        self.heard.append(request)
        location = request.query.get("to", "/loop")
        status = int(request.query.get("status", "302"))
        name = request.query.get("header", "Location")
        return web.Response(status=status, headers={name: location})

    async def _slow(self, request):
        self.heard.append(request)
        await asyncio.sleep(30)

    async def _drop(self, request):
        self.heard.append(request)
        request.transport.abort()
        return web.Response()


@pytest.fixture(autouse=True)
def failures():
    """What we say of failures of our own: nothing, unless a test has looked at it."""
    said = []

    class Listener(logging.Handler):
        def emit(self, record):
            said.append(record)

    listener, log = Listener(), logging.getLogger("otel_aiohttp_logs")
    log.addHandler(listener)
    yield said
    log.removeHandler(listener)
    assert [record.getMessage() for record in said] == []


@pytest.fixture
def connector():
    """Make a connector for which every name leads to the stock."""
    return lambda: aiohttp.TCPConnector(resolver=Loopback())


@pytest.fixture
async def stock(serve):
    service = Stock()
    client = await serve(service.app)
    service.port = client.port
    return service


@pytest.fixture
def provider():
    provider = TracerProvider(shutdown_on_exit=False)
    yield provider
    provider.shutdown()


@pytest.fixture
def spans(provider):
    """What the calls' spans ended as, in the order of their ends."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter.get_finished_spans


@pytest.fixture
async def session(provider):
    """Open a session that has our trace config, and close it after the test."""
    opened = []

    def open_session(*, before=(), after=(), config=None, **options):
        config = config or client_trace_config(tracer_provider=provider, **options)
        session = aiohttp.ClientSession(trace_configs=[*before, config, *after])
        opened.append(session)
        return session

    yield open_session
    for session in opened:
        await session.close()
