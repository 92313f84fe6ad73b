"""
What encoding costs: ours beside upstream's encoder and protobuf.

    python bench/encoder.py [--rounds 5] [--keep FILE]

Prints microseconds and bytes for one record, in batches of 512: a log line of a
request with its fields, and the server span that it belongs to.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
import time
from importlib.metadata import version
from statistics import median

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
from parts import rows
from parts.rows import Row, number

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
    until = time.perf_counter() + 0.3
    while time.perf_counter() < until or len(times) < 10:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times) / BATCH * 1e6


def measure(ways, rounds):
    """Let the *ways* take turns; print what each takes, and return it by round."""
    took = {name: [] for name in ways}
    for _ in range(rounds):
        for name, encode in ways.items():
            took[name].append(best(encode))
    print(f"{'':<28} {'µs':>9} {'bytes':>9} {'gzip -1':>9}")
    for name, encode in ways.items():
        encoded = encode()
        packed = gzip.compress(encoded, 1)
        figures = median(took[name]), len(encoded) / BATCH, len(packed) / BATCH
        print("{:<28} {:>9.2f} {:>9.0f} {:>9.0f}".format(name, *figures))
    return took


def pure(group_one, records):
    groups = {}
    each(group_one)(records, groups)
    return b"".join(map(b"".join, groups.values()))


def ways():
    logs = [flat_log() for _ in range(BATCH)]
    spans = [flat_span() for _ in range(BATCH)]
    resource, scope = Resource(RESOURCE), InstrumentationScope(*SCOPE)
    sdk_logs = [sdk_log(log, resource, scope) for log in logs]
    sdk_spans = [sdk_span(span, resource, scope) for span in spans]
    ours = encode_resource(RESOURCE)
    return {
        "log record, ours": lambda: encode_logs(ours, logs),
        "log record, pure Python": lambda: pure(group_log, logs),
        "log record, upstream": lambda: upstream_logs(sdk_logs).SerializeToString(),
        "span, ours": lambda: encode_spans(ours, spans),
        "span, pure Python": lambda: pure(group_span, spans),
        "span, upstream": lambda: upstream_spans(sdk_spans).SerializeToString(),
    }


def goals(took):
    """Yield what is to be reached: of log records, in a second."""
    ours, theirs = took["log record, ours"], took["log record, upstream"]
    rate = f"{number(1e6 / median(theirs))} a second"
    yield Row(
        "log records encoded on one core",
        150_000,
        "a second",
        [1e6 / one for one in ours],
        least=True,
        upstream=rate,
    )
    ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
    yield Row("log records encoded, of upstream's", 10, "times", ratios, least=True)


def main():
    parser = argparse.ArgumentParser(description="What encoding costs.")
    parser.add_argument("--rounds", type=int, default=5)
    rows.argument(parser)
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, protobuf {version('protobuf')}")
    print(f"ours: {'compiled' if native else 'pure Python'}")
    rows.report(goals(measure(ways(), options.rounds)), options.keep)


if __name__ == "__main__":
    main()
