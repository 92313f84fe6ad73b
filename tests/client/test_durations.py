"""http.client.request.duration: where there's a meter provider, and only there."""

from __future__ import annotations

import aiohttp
import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader


@pytest.fixture
def reader():
    return InMemoryMetricReader()


@pytest.fixture
def meters(reader):
    provider = MeterProvider([reader], shutdown_on_exit=False)
    yield provider
    provider.shutdown()


def points_of(reader):
    """The metric, and its points by status or error."""
    data = reader.get_metrics_data()
    ((scope,),) = [resource.scope_metrics for resource in data.resource_metrics]
    (metric,) = scope.metrics
    return metric, list(metric.data.data_points)


async def test_each_attempt_is_measured(stock, session, spans, meters, reader):
    """One point for each attempt, with the attributes of the convention."""
    client = session(meter_provider=meters)
    await client.get(stock.redirect("/status/200?secret=x"))
    await client.request("REPORT", stock.url("/status/404"))
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get("http://127.0.0.1:1/")

    metric, points = points_of(reader)
    here = {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": stock.port,
        "url.scheme": "http",
    }
    answered = {**here, "network.protocol.version": "1.1"}
    wanted = [
        {**answered, "http.response.status_code": 302},
        {**answered, "http.response.status_code": 200},
        {
            **answered,
            "http.request.method": "_OTHER",
            "http.response.status_code": 404,
            "error.type": "404",
        },
        {**here, "server.port": 1, "error.type": "ClientConnectorError"},
    ]
    assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
    assert sorted(map(str, (dict(sorted(p.attributes.items())) for p in points))) == (
        sorted(map(str, (dict(sorted(w.items())) for w in wanted)))
    )
    assert {point.count for point in points} == {1}
    assert points[0].explicit_bounds[:3] == (0.005, 0.01, 0.025)
    assert points[0].explicit_bounds[-1] == 10


async def test_a_duration_is_its_spans(stock, session, spans, meters, reader):
    """In seconds, and the exemplar leads to the span."""
    await session(meter_provider=meters).get(stock.url("/status/200"))

    (span,) = spans()
    _, (point,) = points_of(reader)
    seconds = (span.end_time - span.start_time) / 1e9
    assert abs(point.sum - seconds) < 0.05
    assert [e.span_id for e in point.exemplars] == [span.context.span_id]


async def test_a_provider_that_is_set_later(stock, session, meters, reader):
    """Calls before it are not measured, and those after it are."""
    client = session()
    await client.get(stock.url("/status/200"))
    metrics.set_meter_provider(meters)
    await client.get(stock.url("/status/201"))

    _, (point,) = points_of(reader)
    assert point.attributes["http.response.status_code"] == 201


async def test_without_a_provider_nothing_is_measured(stock, session):
    """Not even by the API's stand-in: it was asked for no meter."""
    await session().get(stock.url("/status/200"))

    asked_for = {meter._name for meter in metrics.get_meter_provider()._meters}
    assert "otel_aiohttp_logs.client" not in asked_for
