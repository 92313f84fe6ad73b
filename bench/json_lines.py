"""
What a JSON line on stdout costs: ours beside python-json-logger and structlog.

    python bench/json_lines.py [--rounds 30] [--keep FILE]

Each way logs the same from inside of a request: level, time, logger, message, the four
ids and the fields, and writes it to ``/dev/null``. Measured is the whole call, with
what the application's ``logging`` does. They take turns in each round, so that whatever
else the machine does hits all of them; printed are the medians of the rounds.

The others make no value safe: a text that isn't Unicode, or one that breaks a line in
the reader's eyes, is the application's to avoid.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path
from statistics import median

import structlog
from opentelemetry.context import Context, attach
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
)
from parts import rows
from parts.machine import machine
from parts.rows import Row, Spread
from parts.turns import there_and_back
from pythonjsonlogger.orjson import OrjsonFormatter

from otel_aiohttp_logs.output.root import RootHandlers
from otel_aiohttp_logs.record.handler import OutletHandler
from otel_aiohttp_logs.record.stamping import Stamping
from otel_aiohttp_logs.record.twins import make_record
from otel_aiohttp_logs.scope.request import RequestScope, request_context

try:
    from pythonjsonlogger.json import JsonFormatter
except ImportError:  # before its version 3
    from pythonjsonlogger.jsonlogger import JsonFormatter

LINES = 1000
CASES = {
    "no field": {},
    "2 fields": {"item": "tea", "amount": 3},
    "6 fields, nested": {
        "item": "dark chocolate",
        "amount": 3,
        "price": 2.5,
        "tags": ["new", "sweet"],
        "customer": {"id": 17, "vip": True},
        "städte": "Köln",
    },
}
FORMAT = "%(asctime)s%(levelname)s%(name)s%(message)s"
REQUEST_ID = "7d1c7f6e-29a4-4c8b-9d3f-000000000001"


def ours():
    log = logging.getLogger("ours")
    handlers = RootHandlers(OutletHandler(), "json", logging.INFO, access_lines=False)
    Stamping(make_record).ensure()
    handlers.attach()
    return lambda fields: log.info("order %s placed", 1007, extra=fields)


def with_ids(record):
    """What the users of the others write: a filter of their handler."""
    context = get_current_span().get_span_context()
    record.trace_id = f"{context.trace_id:032x}"
    record.span_id = f"{context.span_id:016x}"
    record.trace_flags = f"{context.trace_flags:02x}"
    record.request_id = REQUEST_ID
    return True


def json_logger(kind):
    log = logging.getLogger(kind.__name__)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(kind(FORMAT))
    handler.addFilter(with_ids)
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.INFO)
    return lambda fields: log.info("order %s placed", 1007, extra=fields)


def add_ids(_, __, event):
    context = get_current_span().get_span_context()
    event["trace_id"] = f"{context.trace_id:032x}"
    event["span_id"] = f"{context.span_id:016x}"
    event["trace_flags"] = f"{context.trace_flags:02x}"
    event["request_id"] = REQUEST_ID
    return event


def structured(serializer, factory):
    """Without ``logging``, which is structlog's fastest way."""
    log = structlog.wrap_logger(
        factory(),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.PositionalArgumentsFormatter(),
            add_ids,
            structlog.processors.JSONRenderer(serializer),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    ).bind(logger="structlog")
    return lambda fields: log.info("order %s placed", 1007, **fields)


def ways():
    import json  # noqa: PLC0415 - each way's own
    from functools import partial  # noqa: PLC0415

    import orjson  # noqa: PLC0415

    dumps = partial(json.dumps, ensure_ascii=False)
    return {
        "ours": ours(),
        "json-logger": json_logger(JsonFormatter),
        "json-logger+orjson": json_logger(OrjsonFormatter),
        "structlog": structured(
            lambda event, **_: dumps(event),
            structlog.WriteLoggerFactory(sys.stdout),
        ),
        "structlog+orjson": structured(
            lambda event, **_: orjson.dumps(event),
            structlog.BytesLoggerFactory(sys.stdout.buffer),
        ),
    }


def measure(rounds):
    """Return the microseconds of a line, by case and way, round by round."""
    logging_ways = ways()
    took = {case: {name: [] for name in logging_ways} for case in CASES}
    for number in range(rounds):
        for case, fields in CASES.items():
            for name, log in there_and_back(number, [*logging_ways.items()]):
                start = time.perf_counter()
                for _ in range(LINES):
                    log(fields)
                seconds = time.perf_counter() - start
                took[case][name].append(seconds / LINES * 1e6)
    return took


def goals(took):
    """Yield a row for each case: ours beside the fastest other of the same round."""
    for case, by_way in took.items():
        fastest = min(list(by_way)[1:], key=lambda name: median(by_way[name]))
        yield Row(
            f"a JSON line, {case}, of the fastest other's",
            0.5,
            "",
            [a / b for a, b in zip(by_way["ours"], by_way[fastest], strict=True)],
            ours=f"{Spread.of(by_way['ours'])} µs",
            upstream=f"({fastest}) {Spread.of(by_way[fastest])} µs",
        )


def main():
    parser = argparse.ArgumentParser(description="What a JSON line costs.")
    parser.add_argument("--rounds", type=int, default=30)
    rows.argument(parser)
    options = parser.parse_args()
    shown = sys.stdout
    with Path(os.devnull).open("w", encoding="utf-8") as null:
        sys.stdout = null
        span = NonRecordingSpan(SpanContext(2**100, 2**50, False, TraceFlags(1)))
        attach(request_context(Context(), RequestScope(REQUEST_ID, span, None)))
        took = measure(options.rounds)
        sys.stdout = shown
    names = list(took["no field"])
    print(machine())
    print(f"{'µs a line':20}", *(f"{name:>20}" for name in names))
    for case, by_way in took.items():
        print(f"{case:20}", *(f"{median(by_way[name]):20.2f}" for name in names))
    rows.report(goals(took), options.keep)


if __name__ == "__main__":
    main()
