"""The metrics of a real server: each request counted once, however it ended."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_aiohttp_logs import instrument_app


class Measured:
    """What a reader has of one application, asked for by the metric's name."""

    def __init__(self):
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def points(self, name):
        data = self._reader.get_metrics_data()
        scopes = [s for r in data.resource_metrics for s in r.scope_metrics]
        metrics = [m for scope in scopes for m in scope.metrics if m.name == name]
        return [point for metric in metrics for point in metric.data.data_points]

    def active(self):
        return sum(p.value for p in self.points("http.server.active_requests"))

    def ended(self):
        """{(route, status, error): how many}"""
        names = ("http.route", "http.response.status_code", "error.type")
        return {
            tuple(map(p.attributes.get, names)): p.count
            for p in self.points("http.server.request.duration")
        }


@pytest.fixture
def measured():
    measured = Measured()
    yield measured
    measured.provider.shutdown()


async def ok(request):
    return web.Response()


async def broken(request):
    raise RuntimeError("no stock")


async def unavailable(request):
    raise web.HTTPServiceUnavailable


@pytest.fixture
async def shop(serve, quick_export, records, measured):
    app = web.Application()
    app.router.add_get("/ok/{id}", ok)
    app.router.add_get("/broken", broken)
    app.router.add_get("/unavailable", unavailable)
    instrument_app(app, meter_provider=measured.provider)
    return await serve(app)


async def test_each_request_is_measured_once(shop, measured, arrived):
    """By its route, never its path; with what it failed of, if it failed."""
    for path in ("/ok/1", "/ok/2", "/none", "/broken", "/unavailable"):
        await shop.get(path)
    await arrived.served(5)

    assert measured.ended() == {
        ("/ok/{id}", 200, None): 2,
        (None, 404, None): 1,
        ("/broken", 500, "RuntimeError"): 1,
        ("/unavailable", 503, "503"): 1,
    }
    assert measured.active() == 0


async def test_a_request_is_active_until_its_end(
    serve, quick_export, records, measured, arrived
):
    """Counted while it is served; a client that leaves ends it, too."""
    begun = asyncio.Event()

    async def slow(request):
        begun.set()
        await asyncio.sleep(60)  # aiohttp's test server cancels it

    app = web.Application()
    app.router.add_get("/slow", slow)
    instrument_app(app, meter_provider=measured.provider)
    client = await serve(app)
    asking = asyncio.create_task(client.get("/slow"))
    await begun.wait()
    during = measured.active()
    asking.cancel()
    await arrived.served(1)

    assert (during, measured.active()) == (1, 0)
    assert measured.ended() == {("/slow", None, "CancelledError"): 1}


async def test_the_seconds_are_those_of_the_span(shop, measured, arrived):
    """The histogram's sum is as long as the request's span, give or take 50 ms."""
    await shop.get("/ok/1")
    (span,) = await arrived.served(1)

    (point,) = measured.points("http.server.request.duration")
    seconds = (span.proto.end_time_unix_nano - span.proto.start_time_unix_nano) / 1e9
    assert point.sum == pytest.approx(seconds, abs=0.05)
