"""The rows of the variables' table: what is set, and what the Collector sees then."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from export.collector import FakeCollector

ELSEWHERE = "http://127.0.0.1:9"  # nobody listens at the port "discard"


@dataclass(frozen=True)
class Row:
    env: Mapping[str, str]
    """``{url}`` stands for the Collector's."""
    sees: Callable[[FakeCollector], Any]
    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the requests to the service."""

    @property
    def name(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.env.items())


def posted(collector):
    """The paths that were posted to."""
    return {request.path for request in collector.requests}


def spans(collector):
    return len(collector.spans)


def lines(collector):
    return len(collector.logs)


def header(name):
    """{path: what the header was}"""
    return lambda collector: {r.path: r.headers.get(name) for r in collector.requests}


def resource(name):
    return lambda collector: {
        signal.resource.get(name) for signal in (*collector.spans, *collector.logs)
    }


def largest(path):
    """Records in the largest batch."""
    return lambda collector: max(
        r.records for r in collector.requests if r.path == path
    )


def both(value):
    return {"/v1/traces": value, "/v1/logs": value}


def one(traces, logs):
    return {"/v1/traces": traces, "/v1/logs": logs}


E = "OTEL_EXPORTER_OTLP"
REQUESTS = 5
LINES = 2 * REQUESTS
TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}"

ROWS = [
    Row({f"{E}_ENDPOINT": "{url}"}, posted, {"/v1/traces", "/v1/logs"}),
    Row({f"{E}_ENDPOINT": "{url}/otlp/"}, posted, {"/otlp/v1/traces", "/otlp/v1/logs"}),
    Row(
        {f"{E}_ENDPOINT": "{url}", f"{E}_TRACES_ENDPOINT": "{url}/otlp/v1/traces"},
        posted,
        {"/otlp/v1/traces", "/v1/logs"},
    ),
    Row(
        {f"{E}_TRACES_ENDPOINT": ELSEWHERE, f"{E}_LOGS_ENDPOINT": "{url}/v1/logs"},
        posted,
        {"/v1/logs"},
    ),
    Row({f"{E}_HEADERS": "x-team=a%20b"}, header("x-team"), both("a b")),
    Row(
        {f"{E}_HEADERS": "x-team=a", f"{E}_LOGS_HEADERS": "x-team=b"},
        header("x-team"),
        one("a", "b"),
    ),
    Row({f"{E}_COMPRESSION": "none"}, header("Content-Encoding"), both(None)),
    Row({f"{E}_COMPRESSION": "gzip"}, header("Content-Encoding"), both("gzip")),
    Row(
        {f"{E}_COMPRESSION": "gzip", f"{E}_TRACES_COMPRESSION": "none"},
        header("Content-Encoding"),
        one(None, "gzip"),
    ),
    Row(
        {f"{E}_PROTOCOL": "http/protobuf"},
        header("Content-Type"),
        both("application/x-protobuf"),
    ),
    Row({"OTEL_TRACES_EXPORTER": "none"}, posted, {"/v1/logs"}),
    Row({"OTEL_LOGS_EXPORTER": "none"}, posted, {"/v1/traces"}),
    Row({"OTEL_SDK_DISABLED": "true"}, posted, set()),
    Row({"OTEL_SERVICE_NAME": "tea"}, resource("service.name"), {"tea"}),
    Row(
        {
            "OTEL_SERVICE_NAME": "",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=jam,team=a%2Cb",
        },
        resource("service.name"),
        {"jam"},
    ),
    Row({"OTEL_RESOURCE_ATTRIBUTES": "team=a%2Cb"}, resource("team"), {"a,b"}),
    Row({"OTEL_TRACES_SAMPLER": "always_on"}, spans, REQUESTS),
    Row({"OTEL_TRACES_SAMPLER": "always_off"}, spans, 0),
    Row({"OTEL_TRACES_SAMPLER": "always_off"}, lines, LINES),
    Row(
        {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"},
        spans,
        0,
    ),
    Row(
        {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1"},
        spans,
        REQUESTS,
    ),
    Row(
        {"OTEL_TRACES_SAMPLER": "parentbased_always_off"},
        spans,
        REQUESTS,
        {"traceparent": f"{TRACEPARENT}-01"},
    ),
    Row(
        {"OTEL_TRACES_SAMPLER": "parentbased_always_on"},
        spans,
        0,
        {"traceparent": f"{TRACEPARENT}-00"},
    ),
    Row(
        {
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0",
        },
        spans,
        0,
    ),
    Row(
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2", "OTEL_BSP_SCHEDULE_DELAY": "60000"},
        largest("/v1/traces"),
        2,
    ),
    Row(
        {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "3", "OTEL_BLRP_SCHEDULE_DELAY": "60000"},
        largest("/v1/logs"),
        3,
    ),
    Row(
        {"OTEL_BSP_SCHEDULE_DELAY": "60000", "OTEL_BLRP_SCHEDULE_DELAY": "60000"},
        lambda collector: Counter(r.path for r in collector.requests),
        both(1),
    ),
]
