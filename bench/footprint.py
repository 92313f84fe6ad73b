"""
What we take beside time: memory under load, and the time until the service starts.

    python bench/footprint.py [--rounds 5]

Memory is the resident set of the process after a second under full load, three lines a
request, everything exported. The start is what it takes to import the library and to
instrument an application, once aiohttp and OpenTelemetry's API are imported.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import ExitStack

from parts.load import as_fast_as_it_goes
from parts.processes import receiver, service
from parts.table import goal, machine, spread

PROGRAM = """
import time
from aiohttp import web
from opentelemetry import _logs, context, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
start = time.perf_counter()
from otel_aiohttp_logs import instrument_app
instrument_app(web.Application())
print((time.perf_counter() - start) * 1000)
"""


def start_up():
    """Return the milliseconds of importing and instrumenting, warm."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def memory(variant, url):
    """Return the MiB that the service has in use under load."""
    with service(variant, f"{url}/{variant}") as process:
        process.tell("access on")
        as_fast_as_it_goes(process.port, "/orders/2", 2)
        return process.tell("memory")["rss"] / 2**20


def main():
    parser = argparse.ArgumentParser(description="What we take beside time.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        more = {"ours": [], "upstream": []}
        for _ in range(rounds):
            bare = memory("bare", url)
            for name, values in more.items():
                values.append(memory(name, url) - bare)
    start_up()  # writes the bytecode
    print(machine())
    print(goal("memory over bare, saturated", more["ours"], 15, unit=" MiB"))
    print(f"(upstream's: {spread(more['upstream'])} MiB)")
    took = [start_up() for _ in range(rounds)]
    print(goal("to import and instrument", took, 60, unit=" ms"))


if __name__ == "__main__":
    main()
