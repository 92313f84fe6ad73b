"""What the services measure: sent, received, shown and checked."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace

import pytest
from aiohttp import web
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource

from otel_aiohttp_logs.demo import receiver
from otel_aiohttp_logs.demo.figures import (
    ACTIVE,
    CALLED,
    SERVED,
    Route,
    figures,
    in_progress,
    quantile,
    route_of,
    wrong_counts,
)
from otel_aiohttp_logs.demo.metrics import JSONExporter, as_json
from otel_aiohttp_logs.demo.points import read_points
from otel_aiohttp_logs.demo.receiver import Received

ORDERS = {"http.request.method": "POST", "http.route": "/orders/{number}"}
STOCK = {
    "http.request.method": "GET",
    "server.address": "127.0.0.1",
    "server.port": 8082,
}
SHOP = Resource({"service.name": "shop", "size": 2, "big": True})


def count(reader):
    """Make three orders of the shop, one that isn't done, and a call."""
    provider = MeterProvider([reader], resource=SHOP)
    meter = provider.get_meter("demo")
    served = meter.create_histogram(
        SERVED, "s", explicit_bucket_boundaries_advisory=(0.1, 0.2, 0.4)
    )
    for seconds, status in ((0.05, 200), (0.15, 200), (0.3, 500)):
        served.record(seconds, {**ORDERS, "http.response.status_code": status})
    meter.create_histogram(CALLED, "s").record(0.5, STOCK)
    meter.create_up_down_counter(ACTIVE).add(1, {"http.request.method": "POST"})
    meter.create_counter("half").add(0.5)
    return provider


@pytest.fixture
def sent():
    """What the exporter writes."""
    reader = InMemoryMetricReader()
    count(reader)
    return json.dumps(as_json(reader.get_metrics_data())).encode()


@pytest.fixture
def received(sent):
    """What came of it, with a span for each of its requests."""
    received = Received()
    received.add_points(sent)
    received.routes[route_of("shop", SERVED, ORDERS)] = 3
    received.routes[route_of("shop", CALLED, STOCK)] = 1
    return received


def test_is_otlp(sent):
    """
    What is sent is OTLP as the official library reads it: cumulative, with units, and
    all attributes of their own types.
    """
    (of_resource,) = Parse(sent, ExportMetricsServiceRequest()).resource_metrics
    metrics = {m.name: m for m in of_resource.scope_metrics[0].metrics}
    served, active = metrics[SERVED].histogram, metrics[ACTIVE].sum

    found = {pair.key: pair.value for pair in of_resource.resource.attributes}
    assert found["service.name"].string_value == "shop"
    assert (found["size"].int_value, found["big"].bool_value) == (2, True)
    assert metrics[SERVED].unit == "s"
    assert sorted(point.count for point in served.data_points) == [1, 2]
    assert sorted(list(p.bucket_counts) for p in served.data_points) == [
        [0, 0, 1, 0],
        [1, 1, 0, 0],
    ]
    assert served.aggregation_temporality == active.aggregation_temporality == 2
    assert (active.is_monotonic, metrics["half"].sum.is_monotonic) == (False, True)
    assert metrics["half"].sum.data_points[0].as_double == 0.5


def test_row_for_each_route(received):
    """
    All answers of a route are one row, with their mean and the 95th percentile; a call
    is known by where it goes.
    """
    call, orders = figures(received).items()

    assert orders[0] == Route("shop", SERVED, "POST /orders/{number}")
    assert orders[1].count == 3
    assert orders[1].mean == pytest.approx(0.5 / 3)
    assert orders[1].p95 == pytest.approx(0.3)
    assert call[0] == Route("shop", CALLED, "GET 127.0.0.1:8082")
    assert call[1].count == 1
    assert in_progress(received) == {"shop": 1}


def test_latest_counts(received, sent):
    """A series that comes again replaces what it was: it counts from the start."""
    received.add_points(sent)

    assert figures(received)["shop", SERVED, "POST /orders/{number}"].count == 3


def test_unfinished_is_wrong(received):
    """A request that is active at the end is a complaint, the rest none."""
    assert list(wrong_counts(received)) == [
        "http.server.active_requests of shop is 1 at the end, not 0"
    ]


@pytest.mark.parametrize(("spans", "metric"), [(4, 3), (2, 3), (1, 0)])
def test_other_counts_are_wrong(received, spans, metric):
    """A count that is not that of the spans is a complaint which names both."""
    if not metric:
        received.points.clear()
        del received.routes[route_of("shop", CALLED, STOCK)]
    received.routes[route_of("shop", SERVED, ORDERS)] = spans

    assert next(wrong_counts(received)) == (
        f"POST /orders/{{number}} served by shop: {metric} by its metric, "
        f"{spans} by its spans"
    )


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ([10, 0, 0], 0.95),
        ([5, 5, 0], 1.9),
        ([0, 10, 0], 1.95),
        ([5, 4, 1], 2.0),
        ([95, 5, 0], 1.0),
    ],
)
def test_quantile(buckets, expected):
    """Values are spread evenly in their bucket; above the last is its bound."""
    assert quantile(0.95, (1, 2), buckets) == pytest.approx(expected)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a\x00",
        b"{",
        b"[1]",
        b"{}",
        b'{"resourceMetrics": [{}]}',
        b'{"resourceMetrics": 1}',
    ],
)
async def test_refuses_garbage(aiohttp_client, body):
    """What is no such JSON is answered 400, and remembered as refused."""
    received = Received()
    client = await aiohttp_client(receiver.application(received))

    async with client.post("/v1/metrics", data=body) as response:
        assert response.status == 400
    assert received.refused[0].startswith("/v1/metrics: ")


def test_memory_is_bounded(sent):
    """Beyond so many series the oldest make room."""
    (point, *_) = read_points(sent)
    received = Received()
    received.points.update(
        (number, replace(point, service=str(number)))
        for number in range(receiver.MOST_SERIES)
    )

    received.add_points(sent)

    assert len(received.points) == receiver.MOST_SERIES
    assert point.series in received.points


async def test_says_once_that_it_fails(aiohttp_server, caplog):
    """
    A Collector that is away costs one line, and one when it is back; then it gets all
    counts, those from before as well.
    """
    caplog.set_level(logging.INFO, logger="metrics")
    received, down = Received(), [True]

    @web.middleware
    async def out(request, handler):
        if down:
            raise web.HTTPServiceUnavailable
        return await handler(request)

    app = receiver.application(received)
    app.middlewares.append(out)
    server = await aiohttp_server(app)
    exporter = JSONExporter(str(server.make_url("/")))
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)
    provider = count(reader)

    await sent_by(reader)
    await sent_by(reader)
    down.clear()
    await sent_by(reader)
    await sent_by(reader)
    await asyncio.to_thread(provider.shutdown)

    said = [r.getMessage() for r in caplog.records if r.name == "metrics"]
    assert said == ["metrics_not_sent", "metrics_sent_again"]
    assert "503" in caplog.records[0].reason
    assert figures(received)["shop", SERVED, "POST /orders/{number}"].count == 3


async def sent_by(reader):
    await asyncio.to_thread(reader.collect)
