"""An exporter that sends to the fake Collector, closed at the end of the test."""

from __future__ import annotations

import socket

import pytest
from export.records import settings

from otel_aiohttp_logs.export.exporter import Exporter


@pytest.fixture
def make_exporter(collector):
    """
    Return a function that makes exporters; its options change the settings.

    They are closed after the test, quickly, whatever state they are in.
    """
    made = []

    def make(endpoint: str | None = None, *, start: bool = True, **changes) -> Exporter:
        url = collector.endpoint if endpoint is None else endpoint
        exporter = Exporter(
            resource={"service.name": "shop", "process.pid": 1},
            traces=settings("TRACES", url, **changes),
            logs=settings("LOGS", url, **changes),
        )
        made.append(exporter)
        if start:
            exporter.start()
        return exporter

    yield make
    for exporter in made:
        exporter.close(0.5)


@pytest.fixture
def free_port():
    """A port of this host that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def lines(caplog):
    """Return a function: our own lines so far, as (level, message)."""
    caplog.set_level("DEBUG", logger="otel_aiohttp_logs.export")

    def lines() -> list[tuple[str, str]]:
        return [
            (record.levelname, record.getMessage())
            for record in caplog.records
            if record.name == "otel_aiohttp_logs.export"
        ]

    return lines
