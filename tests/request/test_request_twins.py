"""How a request begins, is answered and ends: compiled and in Python the same."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from otel_aiohttp_logs._speed import native

PROGRAM = Path(__file__).with_name("served_raw.py")
PARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
# Of the two forms one is a text of its own each time.
VOLATILE = {
    "timestamp",
    "duration",
    "time_to_first_byte",
    "trace_id",
    "span_id",
    "request_id",
}

TARGETS = [
    "/orders/7",
    "/orders/8?token=secret",
    "/bound",
    "/streamed",
    "/cloned",
    "/raises",
    "/moved",
    "/many",
    "/ended",
    "/plain?status=404",
    "/plain?status=503",
    "/plain?status=204&lone",
    "/nowhere/at/all",
    "/" + "x" * 3000,
    "/caf%C3%A9",
]
HOSTS = ["shop.example"] * 5 + [
    "shop.example:8080",
    "foo:99999",
    "[::1]:80",
    "a b",
    "x" * 300,
]
HEADERS = [
    "User-Agent: Mozilla/5.0",
    "User-Agent:",
    "User-Agent: " + "u" * 3000,
    f"traceparent: {PARENT}",
    f"traceparent: {PARENT[:-1]}0",
    "traceparent: 00-odd",
    "tracestate: a=1",
    "baggage: user=7,odd=%C3%A9",
    "X-Trusted: 0123456789",
    "X-Trusted: no id",
    "Expect: 100-continue",
    "Expect: else",
]
METHODS = ["GET", "GET", "GET", "HEAD", "POST", "PATCH", "PURGE"]


def conversations(number):
    """Yield two requests a connection; in their order anything follows anything."""
    chosen = random.Random(1)
    targets = itertools.cycle(TARGETS)
    for _ in range(number):
        version = "1.0" if chosen.random() < 0.1 else "1.1"
        # What was remembered of the last request holds as long as the host is the same.
        host = [f"Host: {chosen.choice(HOSTS)}"] if chosen.random() < 0.9 else []
        version = version if host else "1.0"
        first = [f"{chosen.choice(METHODS)} {next(targets)} HTTP/{version}", *host]
        first += chosen.sample(HEADERS, chosen.randrange(4))
        last = [f"GET {chosen.choice(TARGETS)} HTTP/{version}", *host]
        last += [*chosen.sample(HEADERS, chosen.randrange(2)), "Connection: close"]
        yield "\r\n".join([*first, "", *last, "", ""])


def known(number, **variables):
    """Return the lines of a service that was asked *number* times."""
    asked = "".join(json.dumps(raw) + "\n" for raw in conversations(number))
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **variables,
        },
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    # Nobody takes what is exported, and the exporter says so when it has found out.
    return [line for line in lines if line.get("logger") != "otel_aiohttp_logs.export"]


def comparable(line):
    """Return what is said alike each time, and of the rest whether it's there."""
    said = {k: type(v).__name__ if k in VOLATILE else v for k, v in line.items()}
    if "attributes" in said:
        theirs = line["trace_id"] == int(PARENT[3:35], 16)
        said["trace_id"] = "theirs" if theirs else "made"
        said["attributes"] = [
            [key, len(value) if key == "request_id" else value]
            for key, value in line["attributes"]
        ]
        said["same_id"] = ["request_id", line["request_id"]] in line["attributes"]
    if "exception" in said:
        said["exception"] = [line["exception"][key] for key in ("type", "message")]
    return said


@pytest.mark.skipif(native is None, reason="nothing is compiled here")
@pytest.mark.parametrize("exporter", ["otlp", "none"])
@pytest.mark.parametrize("sampler", ["parentbased_always_on", "always_off"])
def test_all_is_the_same(sampler, exporter):
    """Spans, their attributes in order, events and lines, of many odd requests."""
    asked = {
        "OTEL_TRACES_SAMPLER": sampler,
        "OTEL_TRACES_EXPORTER": exporter,
        "OTEL_LOGS_EXPORTER": exporter,
    }
    compiled = known(150, **asked)
    plain = known(150, **asked, OTEL_AIOHTTP_LOGS_PURE="1")

    assert len(plain) > 400
    assert sum(line.get("status") == 200 for line in plain) > 100
    assert any(line.get("trace_id") == int(PARENT[3:35], 16) for line in plain)
    assert [comparable(line) for line in compiled] == [comparable(x) for x in plain]
