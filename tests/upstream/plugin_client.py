"""
A pytest plugin: each session that aiohttp's tests open has our trace config.

It sends nothing on if PROPAGATE is "nowhere". At the end it adds to the file CALLS
how many spans were begun and ended, the attributes of those still open, and what we
said of failures of our own.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import aiohttp
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from otel_aiohttp_logs import client_trace_config

_init = aiohttp.ClientSession.__init__


class _Counting(SpanProcessor):
    def __init__(self):
        self.begun = self.ended = 0
        self.open = {}

    def on_start(self, span, parent_context=None):
        self.begun += 1
        self.open[span.context.span_id] = span

    def on_end(self, span):
        self.ended += 1
        del self.open[span.context.span_id]


class _Failures(logging.Handler):
    def __init__(self):
        super().__init__()
        self.said = []

    def emit(self, record):
        self.said.append(self.format(record))


_counting, _failures = _Counting(), _Failures()
_tracers = TracerProvider(shutdown_on_exit=False)
_tracers.add_span_processor(_counting)
_meters = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
logging.getLogger("otel_aiohttp_logs").addHandler(_failures)


def _with_our_config(self, *args, trace_configs=None, **options):
    ours = client_trace_config(
        tracer_provider=_tracers,
        meter_provider=_meters,
        propagate_to=None if os.environ["PROPAGATE"] == "everywhere" else (),
    )
    _init(self, *args, trace_configs=[*(trace_configs or ()), ours], **options)


def pytest_configure():
    aiohttp.ClientSession.__init__ = _with_our_config


def pytest_unconfigure():
    counts = {
        "begun": _counting.begun,
        "ended": _counting.ended,
        "open": [dict(span.attributes) for span in _counting.open.values()],
        "failures": _failures.said,
    }
    # What ended differently is run again: the first line is that of all tests.
    with Path(os.environ["CALLS"]).open("a") as calls:
        calls.write(json.dumps(counts) + "\n")
