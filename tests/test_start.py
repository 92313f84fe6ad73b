"""What starting costs is in what is imported: no more than serving needs, and early."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

# To import one of these takes as long as a good part of ours, or longer.
HEAVY = {
    "argparse",
    "google.protobuf",
    "grpc",
    "http.server",
    "importlib.metadata",
    "importlib_metadata",
    "opentelemetry.exporter",
    "opentelemetry.metrics",
    "opentelemetry.proto",
    "opentelemetry.sdk",
    "otel_aiohttp_logs.demo",
    "requests",
    "unicodedata",
    "unittest",
    "urllib3",
}
WANTED = {
    "_queue",
    "concurrent.futures.thread",
    "dataclasses",
    "gc",
    "numbers",
    "queue",
}
"""All that may come of elsewhere than the API, where a service hasn't it already."""

PROGRAM = """
import json, sys
from aiohttp import web
from opentelemetry import _logs, context, propagate, trace

before = set(sys.modules)
import otel_aiohttp_logs

otel_aiohttp_logs.instrument_app(web.Application())
print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
"""
SERVED = str(Path(__file__).with_name("start_served.py"))


def imported_by(*program, **environ):
    """What the last line says that *program* writes to stderr."""
    done = subprocess.run(
        [sys.executable, *program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, **environ},
    )
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


def within(modules, packages):
    return {
        name
        for name in modules
        if any(f"{name}.".startswith(f"{package}.") for package in packages)
    }


def test_nothing_heavy_is_imported_at_the_start():
    """
    Import and instrumenting bring the API's parts and little else: no SDK, no
    protobuf, nobody's metadata.
    """
    imported = imported_by("-c", PROGRAM)
    ours = within(imported, {"otel_aiohttp_logs"})
    api = within(imported, {"opentelemetry"})

    assert within(imported, HEAVY) == set()
    assert imported - ours - api - WANTED == set()


def test_nothing_is_imported_while_requests_are_served(collector):
    """
    What serving and exporting need is there when the application has started: an
    import would stall each request that is being served.
    """
    bare = imported_by(SERVED, "bare")
    endpoint = collector.endpoint.replace("127.0.0.1", "localhost")  # a name to resolve
    imported = imported_by(SERVED, "ours", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)

    assert "look up" in {span.name for span in collector.spans}
    assert imported - bare == set()
