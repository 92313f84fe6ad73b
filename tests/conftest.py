"""
What all tests share: real servers in front of a fake Collector, and a guard over
global state.
"""

from __future__ import annotations

import logging

import pytest
from aiohttp.test_utils import TestClient, TestServer
from export.collector import FakeCollector, plain_attributes
from opentelemetry import trace
from opentelemetry._logs import _internal as logs_internal
from opentelemetry.metrics import _internal as metrics_internal
from opentelemetry.util._once import Once

from otel_aiohttp_logs import instrument_app


@pytest.fixture
def collector():
    """A Collector that keeps what it gets, and misbehaves on request."""
    fake = FakeCollector()
    yield fake
    fake.close()


@pytest.fixture(autouse=True)
def _logging_untouched():
    """Every test leaves the global logging state as it found it."""
    root = logging.getLogger()
    before = logging.getLogRecordFactory(), list(root.handlers), root.level
    yield
    after = logging.getLogRecordFactory(), list(root.handlers), root.level

    assert after == before


@pytest.fixture(autouse=True)
def api_globals():
    """
    Each test finds the API as a new process does.

    The API lets its providers be set once in a process; only its private names can
    undo that.
    """
    yield
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()
    logs_internal._LOGGER_PROVIDER = None
    logs_internal._LOGGER_PROVIDER_SET_ONCE = Once()
    metrics_internal._METER_PROVIDER = None
    metrics_internal._METER_PROVIDER_SET_ONCE = Once()


@pytest.fixture(params=["own", "sdk"])
def pipeline(request):
    """Both ways out: what we promise of spans, ids and lines holds on each."""
    return request.param


@pytest.fixture
def quick_export(monkeypatch, collector):
    """Send to the test's collector, soon."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    for processor in ("BSP", "BLRP"):
        monkeypatch.setenv(f"OTEL_{processor}_SCHEDULE_DELAY", "50")


@pytest.fixture
async def serve(collector):
    """
    Start an application on a real socket and return a client of it.

    It ends before the *collector* does, to which it may still have to say something.
    """
    clients = []

    async def start(app, **options):
        client = TestClient(TestServer(app), **options)
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in reversed(clients):
        await client.close()


@pytest.fixture
async def instrumented(quick_export, serve, pipeline):
    """Instrument an application and start it; it ends before the collector does."""

    async def start(app, **options):
        instrument_app(app, pipeline=pipeline, **options)
        return await serve(app)

    return start


@pytest.fixture
def records():
    """Every record that reaches the root logger, from INFO on."""
    heard = []

    class Listener(logging.Handler):
        def emit(self, record):
            heard.append(record)

    root, listener = logging.getLogger(), Listener()
    before = root.level
    root.addHandler(listener)
    root.setLevel(logging.INFO)
    yield heard
    root.removeHandler(listener)
    root.setLevel(before)


class Arrived:
    """The collector's spans and lines that a test asks for, polled until there."""

    def __init__(self, collector):
        self._collector = collector

    async def spans(self, number, *, kind=None, name=None):
        def wanted():
            return [
                span
                for span in self._collector.spans
                if (kind is None or span.proto.kind == kind)
                and (name is None or span.name == name)
            ]

        await self._collector.wait_until(lambda: len(wanted()) >= number)
        assert len(wanted()) == number
        return wanted()

    async def served(self, number=1):
        """The SERVER spans."""
        return await self.spans(number, kind=2)

    async def lines(self, number, *, scope="shop"):
        def wanted():
            return [line for line in self._collector.logs if line.scope == scope]

        await self._collector.wait_until(lambda: len(wanted()) >= number)
        assert len(wanted()) == number
        return wanted()


@pytest.fixture
def arrived(collector):
    return Arrived(collector)


@pytest.fixture
def events_of():
    """(name, attributes) of each event of an arrived span."""

    def events(span):
        return [(e.name, plain_attributes(e.attributes)) for e in span.proto.events]

    return events
