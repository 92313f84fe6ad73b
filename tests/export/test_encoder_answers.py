"""The Collector's answers are understood, and garbage means nothing."""

from __future__ import annotations

import random

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from otel_aiohttp_logs.export.response import reason_given, rejected


def logs_response(number: int, message: str) -> bytes:
    response = ExportLogsServiceResponse()
    response.partial_success.rejected_log_records = number
    response.partial_success.error_message = message
    return response.SerializeToString()


def traces_response(number: int, message: str) -> bytes:
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = number
    response.partial_success.error_message = message
    return response.SerializeToString()


@pytest.mark.parametrize("make", [logs_response, traces_response])
@pytest.mark.parametrize("number", [0, 1, 127, 128, 5000, 2**62])
@pytest.mark.parametrize("message", ["", "too old: ä", "x" * 500])
def test_partial_success(make, number, message):
    """The number of rejected records and the reason are read from both answers."""
    assert rejected(make(number, message)) == (number, message)


def test_negative_number():
    """A negative number of rejected records is none."""
    assert rejected(logs_response(-1, "why")) == (0, "why")


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{}",
        b"<html>502</html>",
        b"\x0a",
        b"\x0a\x05\x08",
        b"\xff" * 20,
        b"\x0a\x02\x12\xff",
        b"\x08\x01",
        b"\x09\x00",
        b"\x0b\x0c",
    ],
)
def test_garbage(garbage):
    """An answer that isn't one says that nothing was rejected."""
    assert rejected(garbage) == (0, "")


def test_random_garbage():
    """Nothing that a server may answer makes the exporter stumble."""
    for _ in range(2000):
        garbage = random.randbytes(random.randrange(40))
        number, text = rejected(garbage)

        assert 0 <= number < 1 << 63
        assert isinstance(text, str)
        assert isinstance(reason_given(garbage), str)


def test_reason_of_an_error():
    """The message of a google.rpc.Status is read, and it alone."""
    assert reason_given(b"\x08\x03\x12\x07no time") == "no time"
    assert reason_given(b"not a status") == ""
