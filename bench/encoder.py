"""
What encoding costs: ours beside upstream's encoder and protobuf.

    python bench/encoder.py

Prints microseconds and bytes for one record, in batches of 512: a log line of a
request with its fields, and the server span that it belongs to.
"""

from __future__ import annotations

import gzip
import random
import sys
import time
from importlib.metadata import version

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import (
    encode_logs as upstream_logs,
)
from opentelemetry.exporter.otlp.proto.common.trace_encoder import (
    encode_spans as upstream_spans,
)
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from parts.table import goal

from otel_aiohttp_logs._speed import native
from otel_aiohttp_logs.export.encoder import (
    each,
    encode_logs,
    encode_resource,
    encode_spans,
)
from otel_aiohttp_logs.export.messages import group_log, group_span
from otel_aiohttp_logs.flat import FlatLog, FlatSpan, Scope

BATCH = 512
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


def best(function):
    """Return the microseconds of one record, in the best of many runs."""
    times = []
    until = time.perf_counter() + 2
    while time.perf_counter() < until or len(times) < 10:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times) / BATCH * 1e6


def row(name, encode):
    encoded = encode()
    packed = gzip.compress(encoded, 1)
    figures = best(encode), len(encoded) / BATCH, len(packed) / BATCH
    print("{:<28} {:>9.2f} {:>9.0f} {:>9.0f}".format(name, *figures))
    return figures[0]


def pure(group_one, records):
    groups = {}
    each(group_one)(records, groups)
    return b"".join(map(b"".join, groups.values()))


def main():
    logs = [flat_log() for _ in range(BATCH)]
    spans = [flat_span() for _ in range(BATCH)]
    resource, scope = Resource(RESOURCE), InstrumentationScope(*SCOPE)
    sdk_logs = [sdk_log(log, resource, scope) for log in logs]
    sdk_spans = [sdk_span(span, resource, scope) for span in spans]
    ours = encode_resource(RESOURCE)

    print(f"Python {sys.version.split()[0]}, protobuf {version('protobuf')}")
    print(f"ours: {'compiled' if native else 'pure Python'}")
    print(f"{'':<28} {'µs':>9} {'bytes':>9} {'gzip -1':>9}")
    log = row("log record, ours", lambda: encode_logs(ours, logs))
    row("log record, pure Python", lambda: pure(group_log, logs))
    other = row(
        "log record, upstream", lambda: upstream_logs(sdk_logs).SerializeToString()
    )
    span = row("span, ours", lambda: encode_spans(ours, spans))
    row("span, pure Python", lambda: pure(group_span, spans))
    others = row(
        "span, upstream", lambda: upstream_spans(sdk_spans).SerializeToString()
    )
    print(f"upstream / ours: span {others / span:.1f}")
    print(goal("log records/s encoded", [1e6 / log], 150_000, least=True))
    print(goal("log records/s, of upstream's", [other / log], 10, least=True))


if __name__ == "__main__":
    main()
