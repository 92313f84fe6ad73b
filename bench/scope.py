"""
What ``bind``, ``bound``, ``step`` and ``detached`` cost, beside a ``log.info``.

All in a request whose span is recorded, with a handler that does nothing; the rows take
turns, and printed are the medians of the rounds and their ratio to the first row. What
is new in each row is its last word; the two lines are what others pay: nothing.

    python bench/scope.py [rounds]
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from contextlib import contextmanager

from opentelemetry.context import attach, set_value
from opentelemetry.trace import set_span_in_context

from otel_aiohttp_logs import bind, bound, detached, step
from otel_aiohttp_logs.record.stamping import stamping
from otel_aiohttp_logs.scope.fields import BOUND
from otel_aiohttp_logs.scope.request import REQUEST, RequestScope
from otel_aiohttp_logs.span.sampling import sampler
from otel_aiohttp_logs.span.tracer import OwnTracerProvider, SpanPipeline

TIMES = 2000
log = logging.getLogger("bench")


class Nothing(logging.Handler):
    def handle(self, _):
        return True


def rows():
    yield "log.info", lambda: log.info("hello")
    yield "log.info, after bind", lambda: log.info("hello")
    yield "bind(user_id=7)", lambda: bind(user_id=7)
    yield "bind, 5 fields", lambda: bind(a=1, b="two", c=3.0, d=True, e=None)
    yield "with bound(page=1)", lambda: in_block(bound(page=1))
    yield "with detached()", lambda: in_block(detached())
    yield "with step(…)", lambda: in_block(step("charge card", order=7))
    yield "start_as_current_span", lambda: in_block(tracer.start_as_current_span("x"))


def in_block(block):
    with block:
        pass


provider = OwnTracerProvider()
provider.pipeline = SpanPipeline(sampler("always_on", None), lambda _: None)
tracer = provider.get_tracer("bench")


@contextmanager
def fresh_request():
    span = tracer.start_span("GET /")
    scope = RequestScope("id", span, tracer)
    attach(set_span_in_context(span, set_value(REQUEST, scope)))
    yield
    BOUND.set(None)


def microseconds(name, run):
    with fresh_request():
        if name.endswith("after bind"):
            bind(user_id=7, order=1002)
        begin = time.perf_counter()
        for _ in range(TIMES):
            run()
        return (time.perf_counter() - begin) / TIMES * 1e6


def main(rounds):
    logging.setLogRecordFactory(stamping(logging.LogRecord))
    logging.basicConfig(level=logging.INFO, handlers=[Nothing()])
    times = {name: [] for name, _ in rows()}
    for _ in range(rounds):
        for name, run in rows():
            times[name].append(microseconds(name, run))
    medians = {name: statistics.median(each) for name, each in times.items()}
    base = medians["log.info"]
    print(f"{'':24} {'µs':>6} {'ratio':>6}")
    for name, median in medians.items():
        print(f"{name:24} {median:6.2f} {median / base:6.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
