"""The program of the README, run as such: served, logged, and ended by a signal."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

PROGRAM = """
from aiohttp import web
from otel_aiohttp_logs import instrument_app

app = web.Application()
instrument_app(app)
web.run_app(app, host="127.0.0.1", port={port})
"""


@pytest.fixture
def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def get(port):
    """Status and headers of one request, as soon as the port answers."""
    until = time.monotonic() + 20
    while True:
        answer = ask(port)
        if answer is not None:
            return answer
        assert time.monotonic() < until, "the program doesn't listen"
        time.sleep(0.02)


def ask(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers
    except OSError:
        return None


def run(port, **environ):
    """Start, ask once, interrupt; the answer, stdout, stderr and seconds to the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(port=port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )
    try:
        answer = get(port)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return answer, out, err, time.monotonic() - begun


def test_the_program_of_the_readme(free_port, collector):
    """Its lines are on stdout and at the Collector, and it ends as without us."""
    answer, out, err, seconds = run(
        free_port, OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint
    )

    status, headers = answer
    (line,) = [json.loads(text) for text in out.splitlines() if text.startswith("{")]
    (span,) = collector.spans
    (log,) = collector.logs
    assert status == 404
    assert line["logger"] == "aiohttp.access"
    assert line["request_id"] == headers["X-Request-ID"]
    assert line["trace_id"] == span.trace_id == log.trace_id
    assert line["span_id"] == span.span_id == log.span_id
    assert err == ""
    assert seconds < 4


def test_with_nobody_listening(free_port):
    """The default endpoint, nobody there: the lines all the same, and a quick end."""
    _, out, err, seconds = run(
        free_port, OTEL_EXPORTER_OTLP_ENDPOINT="", OTEL_LOGS_EXPORTER="otlp"
    )

    lines = [json.loads(text) for text in out.splitlines() if text.startswith("{")]
    own = [line for line in lines if line["logger"].startswith("otel_aiohttp_logs")]
    assert [line["logger"] for line in lines].count("aiohttp.access") == 1
    assert len(own) <= 1
    assert err == ""
    assert seconds < 4


def test_with_a_dead_collector_that_was_named(free_port):
    """Nothing is lost in silence: one line counts it, within 5 s."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{sock.getsockname()[1]}"
    _, out, _, seconds = run(free_port, OTEL_EXPORTER_OTLP_ENDPOINT=dead)

    lines = [json.loads(text) for text in out.splitlines() if text.startswith("{")]
    lost = [line["message"] for line in lines if line.get("reason") == "shutdown"]
    assert [text.split(" could")[0] for text in lost] == ["1 spans", "1 logs"]
    assert seconds < 7
