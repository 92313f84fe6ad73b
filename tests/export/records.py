"""Flat records and settings for the tests of the export stage."""

from __future__ import annotations

import itertools

from otel_aiohttp_logs._environment import Environment
from otel_aiohttp_logs.export.settings import ExportSettings, export_settings
from otel_aiohttp_logs.flat import FlatLog, FlatSpan, Scope

NOW = 1_700_000_000_000_000_000
SCOPE = Scope("otel_aiohttp_logs", "0.1.0")
_numbers = itertools.count(1)


def flat_log(body: str = "line", /, **changes) -> FlatLog:
    number = next(_numbers)
    log = FlatLog(
        time_ns=NOW + number,
        severity_number=9,
        severity_text="INFO",
        logger="shop",
        body=body,
        attributes={"item": "tea"},
        trace_id=number << 64 | 1,
        span_id=number,
        flags=1,
    )
    return log._replace(**changes)


def flat_span(name: str = "GET /items/{item}", /, **changes) -> FlatSpan:
    number = next(_numbers)
    span = FlatSpan(
        trace_id=number << 64 | 1,
        span_id=number,
        parent_span_id=0,
        flags=0x101,
        trace_state="",
        name=name,
        kind=1,
        start_ns=NOW + number,
        end_ns=NOW + number + 5_000,
        attributes={"http.route": "/items/{item}", "http.response.status_code": 200},
        dropped_attributes=0,
        events=(),
        dropped_events=0,
        links=(),
        dropped_links=0,
        status_code=0,
        status_message="",
        scope=SCOPE,
    )
    return span._replace(**changes)


def settings(signal: str, endpoint: str = "", **changes) -> ExportSettings:
    """
    Return what the variables make of *endpoint*, with *changes*.

    The delay is short, so that a test which waits for it is fast.
    """
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    read = export_settings(Environment(environ), signal, own=True)
    return read._replace(**{"delay": 0.05, **changes})
