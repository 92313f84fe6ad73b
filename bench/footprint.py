"""
What we take beside time: memory under load, and the time until the service starts.

    python bench/footprint.py [--rounds 3] [--keep FILE]

Memory is the resident set of a new process after some time under full load, three lines
a request, everything exported. The start is what it takes to import the library and to
instrument an application, once aiohttp and OpenTelemetry's API are imported.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from parts import cores, rows
from parts.load import saturate
from parts.machine import machine
from parts.processes import receiver, services
from parts.rows import Row, Spread

VARIANTS = ("bare", "ours", "upstream")
LOADED = 1.5
# Not this one: upstream imports what is called as bench/requests.py is.
FOLDER = Path(__file__).parent / "parts"
IMPORTED = """
import logging, time
from aiohttp import web
from opentelemetry import _logs, context, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
start = time.perf_counter()
{}
print((time.perf_counter() - start) * 1000)
"""
OURS = """
from otel_aiohttp_logs import instrument_app
instrument_app(web.Application())
"""
UPSTREAM = """
from variants import upstream
upstream().instrument(web.Application())
"""


def start_up(what):
    """Return the milliseconds of importing and instrumenting, warm."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED.format(what)],
        cwd=FOLDER,
        env={"PYTHONPATH": ":".join(sys.path[1:])},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def memory(url):
    """Return the MiB that each variant has in use under load."""
    used = {}
    with ExitStack() as stack:
        for name, process in services(stack, VARIANTS, url).items():
            process.log_access("on")
            saturate(process.pool(16), "/orders/2", LOADED)
            used[name] = process.memory()
            process.flush()
    return used


def of_memory(rounds):
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        used = [memory(url) for _ in range(rounds)]
    bare, ours, upstream = ([one[name] for one in used] for name in VARIANTS)
    theirs = [a - b for a, b in zip(upstream, bare, strict=True)]
    yield Row(
        "memory over bare, saturated",
        15,
        "MiB",
        [a - b for a, b in zip(ours, bare, strict=True)],
        bare=f"{Spread.of(bare)} MiB",
        upstream=f"+{Spread.of(theirs)} MiB",
    )


def of_start_up(rounds):
    for what in (OURS, UPSTREAM):
        start_up(what)  # writes the bytecode
    took = [(start_up(OURS), start_up(UPSTREAM)) for _ in range(rounds)]
    yield Row(
        "to import and instrument",
        60,
        "ms",
        [ours for ours, _ in took],
        upstream=f"{Spread.of(upstream for _, upstream in took)} ms",
    )


def main():
    parser = argparse.ArgumentParser(description="What we take beside time.")
    parser.add_argument("--rounds", type=int, default=3)
    rows.argument(parser)
    options = parser.parse_args()
    cores.settle()
    print(machine())
    rows.report(of_memory(options.rounds), options.keep)
    rows.report(of_start_up(options.rounds * 4), options.keep)


if __name__ == "__main__":
    main()
