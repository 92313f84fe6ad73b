"""A log line of a request and its server span, in our form and in the SDK's."""

from __future__ import annotations

import random

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from otel_aiohttp_logs.flat import FlatLog, FlatSpan, Scope

NOW = 1_700_000_000_000_000_000
RESOURCE = {"service.name": "shop", "service.instance.id": "0" * 36}
SCOPE = Scope("otel_aiohttp_logs", "0.1.0")
rng = random.Random(1)


def attributes_of_span():
    item = rng.randrange(10_000)
    return {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": f"/items/{item}",
        "http.route": "/items/{item}",
        "server.address": "shop.example",
        "server.port": 8080,
        "client.address": f"10.0.0.{item % 250}",
        "network.protocol.version": "1.1",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
        "http.response.status_code": 200,
    }


def flat_log():
    item = rng.randrange(10_000)
    return FlatLog(
        time_ns=NOW + rng.randrange(10**9),
        severity_number=9,
        severity_text="INFO",
        logger="shop.orders",
        body=f"item {item} was looked up in the stock",
        attributes={"item": str(item), "warehouse": "north"},
        trace_id=rng.getrandbits(128),
        span_id=rng.getrandbits(64),
        flags=1,
    )


def flat_span():
    start = NOW + rng.randrange(10**9)
    return FlatSpan(
        trace_id=rng.getrandbits(128),
        span_id=rng.getrandbits(64),
        parent_span_id=rng.getrandbits(64),
        flags=0x301,
        trace_state="",
        name="GET /items/{item}",
        kind=SpanKind.SERVER.value,
        start_ns=start,
        end_ns=start + 5_000_000,
        attributes=attributes_of_span(),
        dropped_attributes=0,
        events=(),
        dropped_events=0,
        links=(),
        dropped_links=0,
        status_code=0,
        status_message="",
        scope=SCOPE,
    )


def sdk_log(log, resource, scope):
    record = LogRecord(
        timestamp=log.time_ns,
        observed_timestamp=log.time_ns,
        severity_number=SeverityNumber(log.severity_number),
        severity_text=log.severity_text,
        body=log.body,
        attributes=log.attributes,
    )
    record.trace_id, record.span_id = log.trace_id, log.span_id
    record.trace_flags = TraceFlags(log.flags)
    return ReadableLogRecord(record, resource, scope)


def sdk_span(span, resource, scope):
    def context(span_id, *, remote):
        return SpanContext(span.trace_id, span_id, remote, TraceFlags(1))

    return ReadableSpan(
        name=span.name,
        context=context(span.span_id, remote=False),
        parent=context(span.parent_span_id, remote=True),
        resource=resource,
        attributes=span.attributes,
        kind=SpanKind(span.kind),
        instrumentation_scope=scope,
        start_time=span.start_ns,
        end_time=span.end_ns,
    )
