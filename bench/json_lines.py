"""
What a line of JSON costs: our formatter, ``json.dumps``, and ``orjson`` if it's there.

The three take turns in each round, so that whatever else the machine does hits all of
them; printed are the medians of the rounds. The other two make the same line, but do
without our promises (no value is made safe, a lone surrogate is an error in orjson).

    python bench/json_lines.py [rounds]
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import time
from datetime import datetime, timezone

from otel_aiohttp_logs.output.json_lines import JSONFormatter
from otel_aiohttp_logs.record.stamp import stamping
from otel_aiohttp_logs.scope.request import REQUEST, RequestScope

try:
    import orjson
except ImportError:
    orjson = None

from opentelemetry.context import attach, detach, set_value
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
IDS = ("request_id", "trace_id", "span_id", "trace_flags")
STANDARD.update(IDS)
LINES = 2000


def plain_line(record):
    """Return the line as a dict, in the usual way."""
    moment = datetime.fromtimestamp(record.created, timezone.utc)
    line = {
        "timestamp": moment.isoformat(timespec="microseconds")[:-6] + "Z",
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage(),
    }
    for name in IDS:
        value = getattr(record, name, None)
        if value is not None:
            line[name] = value
    line.update({k: v for k, v in record.__dict__.items() if k not in STANDARD})
    return line


def ways():
    ours = JSONFormatter()
    yield "ours", ours.format
    yield (
        "json.dumps",
        lambda record: json.dumps(plain_line(record), ensure_ascii=False, default=repr),
    )
    if orjson is not None:
        yield (
            "orjson",
            lambda record: orjson.dumps(plain_line(record), default=repr).decode(),
        )


def records(extra, *, stamped):
    """Return records of requests that take turns, three lines each."""
    make = stamping(logging.LogRecord) if stamped else logging.LogRecord
    made = []
    for i in range(LINES):
        n = i // 3
        span = NonRecordingSpan(
            SpanContext(n + 2**100, n + 2**50, False, TraceFlags(1))
        )
        scope = RequestScope(f"7d1c7f6e-29a4-4c8b-9d3f-{n:012x}", span)
        context = set_value(REQUEST, scope)
        token = attach(set_span_in_context(span, context))
        record = make("shop.orders", 20, "shop.py", 7, "order %s placed", (i,), None)
        vars(record).update(extra)
        record.getMessage()
        detach(token)
        made.append(record)
    return made


CASES = {
    "outside of a request": records({}, stamped=False),
    "in a request": records({}, stamped=True),
    "+ 2 extra fields": records({"item": "tea", "amount": 3}, stamped=True),
    "+ 6 extra fields, nested": records(
        {
            "item": "dark chocolate",
            "amount": 3,
            "price": 2.5,
            "tags": ["new", "sweet"],
            "customer": {"id": 17, "vip": True},
            "städte": "Köln",
        },
        stamped=True,
    ),
}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    names = [name for name, _ in ways()]
    print(f"µs a line, median of {rounds} rounds; Python {sys.version.split()[0]}")
    print(f"{'':28}" + "".join(f"{name:>12}" for name in names))
    for case, made in CASES.items():
        took = {name: [] for name in names}
        for _ in range(rounds):
            for name, form in ways():
                start = time.perf_counter()
                for record in made:
                    form(record)
                took[name].append((time.perf_counter() - start) / len(made) * 1e6)
        row = "".join(f"{statistics.median(took[name]):12.2f}" for name in names)
        print(f"{case:28}{row}")


if __name__ == "__main__":
    main()
