"""The three services, each a process of its own, in front of the fake Collector."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

SERVICES = Path(__file__).with_name("chain_services.py")
LONGEST = 30.0
_figures = pytest.StashKey[list[str]]()


@contextmanager
def running(name, folder, environ):
    """Serve one until the block ends, which it does in order; its URL."""
    port_file, log = folder / f"{name}.port", folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, SERVICES, name, port_file],
            env={**os.environ, "OTEL_SERVICE_NAME": name, **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + LONGEST
        while not port_file.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port_file.read_text()}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONGEST) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def chain(collector, pipeline, tmp_path):
    """Start them, and return the shop's URL and what ends them."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_AIOHTTP_LOGS_PIPELINE": pipeline,
    }
    with ExitStack() as services:
        after = ""
        for name in ("supply", "stock", "shop"):
            service = running(name, tmp_path, {**environ, "NEXT": after})
            after = services.enter_context(service)
        yield after, services.close


@pytest.fixture
def figure(request):
    """Return a function that puts a line into the summary at the end of the run."""
    return request.config.stash.setdefault(_figures, []).append


def pytest_terminal_summary(terminalreporter):
    figures = terminalreporter.config.stash.get(_figures, [])
    if figures:
        terminalreporter.section("three services in a chain")
        for line in figures:
            terminalreporter.write_line(line)
