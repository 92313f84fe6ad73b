"""The embedded receiver, over a real socket."""

from __future__ import annotations

import gzip

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)

from otel_aiohttp_logs.demo import receiver
from otel_aiohttp_logs.demo.receiver import Received

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def one_line(trace_id, text):
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.trace_id, record.body.string_value = trace_id, text
    return request.SerializeToString()


@pytest.fixture
def received():
    return Received()


@pytest.fixture
async def client(aiohttp_client, received):
    return await aiohttp_client(receiver.application(received))


async def test_keeps_lines_by_trace(client, received):
    """A line is kept under its trace, one without a trace apart."""
    for trace_id, text in ((b"a" * 16, "one"), (b"b" * 16, "two"), (b"", "stray")):
        body = one_line(trace_id, text)
        async with client.post("/v1/logs", data=body, headers=PROTOBUF) as response:
            assert (response.status, await response.read()) == (200, b"")

    kept = {key: trace.lines[0].body for key, trace in received.traces.items()}
    assert kept == {"61" * 16: "one", "62" * 16: "two"}
    assert [line.body for line in received.stray] == ["stray"]
    assert received.lines == 3


async def test_understands_gzip(client, received):
    """A compressed body is taken as the plain one would be."""
    body = gzip.compress(one_line(b"a" * 16, "packed"))
    headers = {**PROTOBUF, "Content-Encoding": "gzip"}

    async with client.post("/v1/logs", data=body, headers=headers) as response:
        assert response.status == 200
    assert received.traces["61" * 16].lines[0].body == "packed"


@pytest.mark.parametrize("signal", ["logs", "traces"])
async def test_refuses_garbage(client, received, signal):
    """What is no OTLP is answered 400, and remembered as refused."""
    async with client.post(f"/v1/{signal}", data=b"\x0fno") as response:
        assert response.status == 400

    assert received.refused == [f"/v1/{signal}: wire type 7 before byte 1"]
    assert not received.traces


async def test_memory_is_bounded(received):
    """Beyond so many traces the oldest make room."""
    for number in range(receiver.MOST_TRACES + 5):
        received.add_lines(one_line(number.to_bytes(16, "big"), "x"))

    assert len(received.traces) == receiver.MOST_TRACES
    assert f"{4:032x}" not in received.traces
    assert f"{5:032x}" in received.traces
