"""
Nothing of a request or an application stays when it's over.

``MEMORY_REQUESTS`` and ``MEMORY_APPS`` say after how many: in ``.ci/run`` 100,000 and
3,000, else a tenth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FULL = os.environ.get("TESTS_REQUIRE_BACKENDS") == "1"
REQUESTS = int(os.environ.get("MEMORY_REQUESTS") or (100_000 if FULL else 10_000))
APPS = int(os.environ.get("MEMORY_APPS") or (3_000 if FULL else 300))
TIMEOUT = 300
CACHED = 256
"""The most that one cache of ours holds."""
OF_AN_APPLICATION = {
    f"otel_aiohttp_logs.{name}"
    for name in (
        "_settings.Settings",
        "_speed._c.Responding",
        "_instrumented.Instrumented",
        "export.settings.ExportSettings",
        "request.middleware.Serving",
        "request.request_id.RequestIds",
        "span.limits.Limits",
        "span.limits.RecordLimits",
    )
}


@pytest.fixture
def run(collector):
    """Start a program in a fresh interpreter, and return what waits for its figures."""
    collector.fail_next(200, times=200_000)  # what is accepted isn't looked at
    started = []

    def run(program, kind, number):
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        path = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            [sys.executable, str(HERE / program), kind, str(number)],
            env={**os.environ, **env, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)

        def figures():
            out, said = process.communicate(timeout=TIMEOUT)
            assert (process.returncode, said) == (0, "")
            return json.loads(out)

        return figures

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_requests(run, figure):
    """
    After many requests of all kinds nothing of them is alive: no object of ours, of
    aiohttp's or of OpenTelemetry's more than before, and no block of memory for each.
    The garbage collector has no more of them to find than without us.
    """
    get_plain = run("memory_requests.py", "plain", REQUESTS // 10)
    get_ours = run("memory_requests.py", "ours", REQUESTS)
    plain, ours = get_plain(), get_ours()
    grown = dict(ours["grown"])
    blocks, peak = grown.pop("blocks", 0), grown.pop("peak_mib", 0)
    figure(
        f"after {ours['requests']} requests: {ours['alive']} alive, {blocks} blocks "
        f"and {peak} MiB of peak more; left to the garbage collector "
        f"{ours['alive_without_gc']}, without us {plain['alive_without_gc']}"
    )

    assert ours["alive"] == 0
    assert {name: by for name, by in grown.items() if by > 0} == {}
    assert blocks < max(3_000, REQUESTS // 20)
    assert peak < 20
    assert ours["alive_without_gc"] <= plain["alive_without_gc"]
    assert ours["spans"] >= ours["requests"]
    assert (ours["dropped"], ours["failures"]) == (0, 0)


def test_applications(run, figure):
    """
    After many applications no more of them is alive than with a middleware that only
    passes on (aiohttp's cache of chains keeps some), nothing process-wide has become
    more, and no thread or descriptor is left.
    """
    get_plain = run("memory_apps.py", "plain", APPS)
    get_ours = run("memory_apps.py", "ours", APPS)
    plain, ours = get_plain(), get_ours()
    figure(
        f"after {ours['applications']} applications: {ours['alive']} alive, with a "
        f"middleware that only passes on {plain['alive']}"
    )
    more = {
        name: by
        for name, by in ours["grown"].items()
        # What an application has of its own, it may have as long as that is alive.
        if by > plain["grown"].get(name, 0) and name not in OF_AN_APPLICATION
    }

    assert ours["alive"] <= plain["alive"]
    assert ours["requests_alive"] == 0
    assert {name: by for name, by in more.items() if by > CACHED} == {}
    each = {kind: ours["grown"].get(kind, 0) for kind in OF_AN_APPLICATION}
    assert {k: by for k, by in each.items() if by > 2 * ours["alive"]} == {}
    assert ours["grown"].keys().isdisjoint({"threads", "descriptors"})
    assert ours["failures"] == 0
