"""The demo reads OTLP without protobuf: opentelemetry-proto is the oracle."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_aiohttp_logs.demo.otlp import Line, Span, read_lines, read_spans


def pair(key, **value):
    return KeyValue(key=key, value=AnyValue(**value))


def nested(depth):
    value = AnyValue(string_value="core")
    for _ in range(depth):
        outer = AnyValue()
        outer.array_value.values.append(value)
        value = outer
    return value


def traces(service="shop"):
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(pair("service.name", string_value=service))
    resource.scope_spans.add().spans.add(
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        parent_span_id=bytes(range(8, 16)),
        name="GET /ü",
        kind=2,
        start_time_unix_nano=1_700_000_000_000_000_001,
        end_time_unix_nano=1_700_000_000_000_000_002,
        attributes=[pair("http.response.status_code", int_value=500)],
    ).status.code = 2
    return request


def logs(*attributes, **body):
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.append(pair("service.name", string_value="stock"))
    scope = resource.scope_logs.add()
    scope.scope.name = "stock.shelves"
    scope.log_records.add(
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        time_unix_nano=1_700_000_000_000_000_003,
        severity_text="WARNING",
        severity_number=13,
        body=AnyValue(**body),
        attributes=attributes,
        flags=1,
    )
    return request


def test_reads_a_span():
    """Each field of a span is read as protobuf wrote it."""
    (span,) = read_spans(traces().SerializeToString())

    assert span == Span(
        trace_id="000102030405060708090a0b0c0d0e0f",
        span_id="0001020304050607",
        parent_id="08090a0b0c0d0e0f",
        service="shop",
        name="GET /ü",
        kind=2,
        start_ns=1_700_000_000_000_000_001,
        end_ns=1_700_000_000_000_000_002,
        failed=True,
        attributes={"http.response.status_code": 500},
    )


def test_reads_a_line():
    """Each field of a log record is read, its logger from the scope."""
    request = logs(pair("order", int_value=7), string_value="shelf counted")

    (line,) = read_lines(request.SerializeToString())

    assert line == Line(
        trace_id="000102030405060708090a0b0c0d0e0f",
        span_id="0001020304050607",
        service="stock",
        logger="stock.shelves",
        time_ns=1_700_000_000_000_000_003,
        severity="WARNING",
        body="shelf counted",
        attributes={"order": 7},
    )


def test_reads_all_kinds_of_values():
    """Numbers below zero, floats, lists, maps and bytes come back as they were."""
    values = AnyValue()
    values.kvlist_value.values.extend(
        [pair("yes", bool_value=True), pair("nothing")],
    )
    request = logs(
        pair("below", int_value=-3),
        pair("float", double_value=0.1),
        pair("no", bool_value=False),
        pair("raw", bytes_value=b"\xff\x00"),
        KeyValue(key="list", value=nested(2)),
        KeyValue(key="map", value=values),
        string_value="",
    )

    (line,) = read_lines(request.SerializeToString())

    assert line.attributes == {
        "below": -3,
        "float": 0.1,
        "no": False,
        "raw": b"\xff\x00",
        "list": [["core"]],
        "map": {"yes": True, "nothing": None},
    }


def test_several_resources():
    """The records of each resource get the name of their own service."""
    data = traces("shop").SerializeToString() + traces("stock").SerializeToString()

    assert [span.service for span in read_spans(data)] == ["shop", "stock"]


def test_unknown_fields_do_no_harm():
    """Fields of a later version of OTLP are skipped, whatever their kind."""
    later = b"\xf8\x7f\x05" + b"\xfd\x7f1234" + b"\xf9\x7f12345678" + b"\xfa\x7f\x01x"
    data = traces().SerializeToString()

    assert read_spans(later + data + later) == read_spans(data)


def test_refuses_what_is_nested_too_deep():
    """A value nested deeper than any honest one is refused, the stack stays."""
    request = logs(KeyValue(key="deep", value=nested(40)), string_value="x")

    with pytest.raises(ValueError, match="nested more than 32 deep"):
        read_lines(request.SerializeToString())


def test_refuses_cut_bodies():
    """A body that ends too early is refused wherever it was cut."""
    data = logs(pair("order", int_value=7), string_value="counted").SerializeToString()

    for length in range(1, len(data)):
        with pytest.raises(ValueError, match="bytes wanted"):
            read_lines(data[:length])


def test_refuses_noise():
    """Bytes that are no OTLP raise ``ValueError`` and nothing else."""
    noise = random.Random(13)
    valid = traces().SerializeToString()
    for _ in range(2000):
        data = bytearray(valid)
        for _ in range(noise.randrange(1, 6)):
            data[noise.randrange(len(data))] = noise.randrange(256)
        with suppress(ValueError):
            read_spans(bytes(data))

    with pytest.raises(ValueError, match="wire type 7"):
        read_spans(b"\x0f")
    with pytest.raises(ValueError, match="more than ten bytes"):
        read_spans(b"\x80" * 11)
    with pytest.raises(ValueError, match="another kind"):
        read_spans(b"\x08\x01")
