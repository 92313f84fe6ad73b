"""What each line says, as JSON: the fields beside those that every line has."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from otel_aiohttp_logs import ConsoleFormatter, JSONFormatter
from otel_aiohttp_logs.record.stamping import Stamping
from otel_aiohttp_logs.scope.fields import BOUND

COMMON = {"timestamp", "level", "logger", "message", "exception"}
IDS = {"trace_id", "span_id", "trace_flags", "request_id"}


@pytest.fixture
def stamped():
    """
    Records are stamped without an application, as while another one runs; what tests
    bind outside of tasks is gone afterwards.
    """
    stamping = Stamping()
    stamping.ensure()
    token = BOUND.set(None)
    yield
    BOUND.reset(token)
    stamping.undo()


@pytest.fixture
def said(records):
    """Return the fields of the line *message*, or of each of them."""
    to_json = JSONFormatter()
    by_message, seen = defaultdict(list), []

    to_text = ConsoleFormatter(colors=False)

    def found(message):
        for record in records[len(seen) :]:
            seen.append(record)
            by_message[record.getMessage()].append(record)
        return by_message[message]

    def lines(message):
        return [json.loads(to_json.format(record)) for record in found(message)]

    def console(message):
        (record,) = found(message)
        return to_text.format(record)

    def fields(message, *, ids=False, every=False):
        left_out = COMMON if ids else COMMON | IDS
        all_fields = [
            {key: value for key, value in line.items() if key not in left_out}
            for line in lines(message)
        ]
        if every:
            return all_fields
        (only,) = all_fields
        return only

    fields.lines, fields.console = lines, console
    return fields
