"""
What encoding costs: ours beside upstream's encoder and protobuf.

    python bench/encoder.py [--rounds 5] [--keep FILE]

Prints microseconds and bytes for one record, in batches of 512: a log line of a
request with its fields, and the server span that it belongs to.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from importlib.metadata import version
from statistics import median

from opentelemetry.exporter.otlp.proto.common._log_encoder import (
    encode_logs as upstream_logs,
)
from opentelemetry.exporter.otlp.proto.common.trace_encoder import (
    encode_spans as upstream_spans,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from parts import rows
from parts.records import RESOURCE, SCOPE, flat_log, flat_span, sdk_log, sdk_span
from parts.rows import Row, number

from otel_aiohttp_logs._speed import native
from otel_aiohttp_logs.export.encoder import (
    each,
    encode_logs,
    encode_resource,
    encode_spans,
)
from otel_aiohttp_logs.export.messages import group_log, group_span

BATCH = 512


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
