"""What the server's instruments measure, and when there are none."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import metrics, trace
from opentelemetry.context import get_current
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider, TraceBasedExemplarFilter
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_aiohttp_logs.request.metrics import server_metrics
from otel_aiohttp_logs.request.outcome import Outcome

POST = {
    "http.request.method": "POST",
    "url.scheme": "https",
    "url.path": "/orders/7",
    "http.route": "/orders/{id}",
    "network.protocol.version": "1.1",
    "client.address": "192.0.2.1",
}
GET = {"http.request.method": "GET", "url.scheme": "http"}


@pytest.fixture
def reader():
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader):
    provider = MeterProvider(
        [reader],
        shutdown_on_exit=False,
        exemplar_filter=TraceBasedExemplarFilter(),
    )
    yield provider
    provider.shutdown()


@pytest.fixture
def measured(reader):
    """{name of the metric: (metric, its data points)}."""

    def read():
        (resource,) = reader.get_metrics_data().resource_metrics
        (scope,) = resource.scope_metrics
        assert scope.scope.name == "otel_aiohttp_logs"
        return {m.name: (m, list(m.data.data_points)) for m in scope.metrics}

    return read


def context_of_span(trace_id):
    span_context = SpanContext(
        trace_id, 7, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return trace.set_span_in_context(NonRecordingSpan(span_context))


def test_active_requests(provider, measured):
    """As many as have begun and not ended, by method and scheme only."""
    server = server_metrics(provider)
    for attributes in (POST, POST, GET):
        server.began(attributes, get_current())
    server.ended(POST, 0.1, get_current(), Outcome("ok", 200))

    metric, points = measured()["http.server.active_requests"]
    counts = {p.attributes["http.request.method"]: p.value for p in points}
    assert metric.unit == "{request}"
    assert counts == {"POST": 1, "GET": 1}
    assert {frozenset(p.attributes) for p in points} == {
        frozenset({"http.request.method", "url.scheme"})
    }


def test_duration(provider, measured):
    """In seconds, with the attributes and the buckets of the conventions."""
    server = server_metrics(provider)
    server.began(POST, get_current())
    server.ended(POST, 0.03, get_current(), Outcome("ok", 201))
    server.began(GET, get_current())
    server.ended(
        GET, 20, get_current(), Outcome("disconnected", None, "ConnectionError")
    )

    metric, points = measured()["http.server.request.duration"]
    ok, failed = sorted(points, key=lambda point: point.sum)
    assert metric.unit == "s"
    assert ok.attributes == {
        "http.request.method": "POST",
        "url.scheme": "https",
        "http.route": "/orders/{id}",
        "network.protocol.version": "1.1",
        "http.response.status_code": 201,
    }
    assert failed.attributes == {**GET, "error.type": "ConnectionError"}
    assert list(ok.explicit_bounds) == [
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25),
        *(0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    ]
    assert (ok.sum, failed.sum) == (0.03, 20)


def test_an_exemplar_leads_to_the_request(provider, measured):
    """The exemplar of a duration names the span of that request."""
    server = server_metrics(provider)
    context = context_of_span(0xABC)
    server.began(GET, context)
    server.ended(GET, 0.2, context, Outcome("ok", 200))

    _, (point,) = measured()["http.server.request.duration"]
    (exemplar,) = point.exemplars
    assert (exemplar.trace_id, exemplar.span_id) == (0xABC, 7)


def test_nobody_set_a_provider():
    """Then there are no instruments; nor with the API's provider that does nothing."""
    assert "opentelemetry.metrics" in sys.modules
    assert server_metrics(None) is None

    try:
        metrics._internal._METER_PROVIDER = NoOpMeterProvider()
        assert server_metrics(None) is None
    finally:
        metrics._internal._METER_PROVIDER = None


def test_the_global_provider_is_used(provider, measured):
    """The one that the application set, if it gave us none."""
    try:
        metrics._internal._METER_PROVIDER = provider
        server = server_metrics(None)
    finally:
        metrics._internal._METER_PROVIDER = None
    server.began(GET, get_current())

    assert "http.server.active_requests" in measured()


def test_the_metrics_api_is_not_imported_for_nothing():
    """Nobody could have set a provider, so the import's time isn't spent."""
    code = (
        "import sys\n"
        "from otel_aiohttp_logs import client_trace_config\n"
        "from otel_aiohttp_logs.request.metrics import server_metrics\n"
        "print(server_metrics(None), 'opentelemetry.metrics' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert shown.stdout.split() == ["None", "False"]
