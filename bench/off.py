"""
What we cost where there is nothing to do: beside the same without us.

    python bench/off.py [--rounds 4] [--keep FILE]

- a log call that its level switches off, in an application with us and without
- a record outside of any request, to a handler that does nothing, and to ours
- a request that nobody samples (``OTEL_TRACES_SAMPLER=always_off``) without a line,
  beside aiohttp's own ways in with nothing behind them (``hooks``)

The calls are made in one and the same process before it's instrumented and after,
several processes of each; the requests as bench/requests.py makes them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack
from statistics import median

from parts import cores, rows
from parts.machine import machine
from parts.processes import receiver, services
from parts.rows import Row, Spread
from parts.turns import Seen, middle, more, there_and_back

VARIANTS = ("bare", "hooks", "ours", "upstream")
TURNS, SLICE = 6, 0.2
PROGRAM = """
import asyncio, json, logging, sys, time
from aiohttp import web

class Nowhere(logging.Handler):
    def handle(self, record):
        return True

log = logging.getLogger("shop")
logging.getLogger().setLevel(logging.INFO)
logging.getLogger().addHandler(Nowhere())

def best(call, times):
    took = []
    for _ in range(400):
        start = time.perf_counter()
        for _ in range(times):
            call("nothing %s", 1)
        took.append((time.perf_counter() - start) / times * 1e6)
    return min(took)

def both():
    return {"off": best(log.debug, 500), "outside": best(log.info, 50)}

def instrument(app):
    if sys.argv[1] == "ours":
        from otel_aiohttp_logs import instrument_app
        instrument_app(app)
    else:
        from opentelemetry.instrumentation.logging import LoggingInstrumentor
        LoggingInstrumentor().instrument()

async def main():
    before = both()
    app = web.Application()
    instrument(app)
    runner = web.AppRunner(app)
    await runner.setup()
    print(json.dumps([before, both()]), flush=True)
    await runner.cleanup()

asyncio.run(main())
"""


def calls(name):
    """Return what the calls take before the instrumentation, and after it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        env={"OTEL_LOGS_EXPORTER": "none", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def of_calls(rounds):
    """Yield the rows about calls."""
    pairs = {name: [] for name in ("ours", "upstream")}
    for _ in range(rounds):
        for name in ("ours", "ours", "ours", "upstream"):
            pairs[name].append(calls(name))
    off, outside = (
        median(before[key] for before, _ in pairs["ours"]) for key in ("off", "outside")
    )
    percent = {
        name: [100 * after["off"] / before["off"] - 100 for before, after in seen]
        for name, seen in pairs.items()
    }
    added = {
        name: [after["outside"] - before["outside"] for before, after in seen]
        for name, seen in pairs.items()
    }
    for work, limit, unit, values, bare in (
        ("a log call switched off: more", 2, "%", percent, off),
        ("a record outside of any request: more", 1, "µs", added, outside),
    ):
        yield Row(
            work,
            limit,
            unit,
            values["ours"],
            bare=f"{bare:.3f} µs",
            upstream=f"{Spread.of(values['upstream'])} {unit}",
        )


def unsampled(rounds):
    """Return what was seen of requests that nobody samples."""
    seen = {name: Seen() for name in VARIANTS}
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        for number in range(rounds):
            with ExitStack() as of_round:
                off = {"OTEL_TRACES_SAMPLER": "always_off"}
                processes = services(of_round, VARIANTS, url, **off)
                for name, process in processes.items():
                    process.log_access("off")
                    seen[name].warm(process, "/orders/0", SLICE)
                for turn in range(TURNS):
                    for name in there_and_back(turn, VARIANTS):
                        seen[name].saturated(
                            processes[name], "/orders/0", SLICE, (number, turn)
                        )
    return seen


def of_requests(rounds):
    """Yield the row about requests, and that of the hooks."""
    seen = unsampled(rounds)
    bare = seen["bare"].cpu
    hooks, ours, upstream = (more(seen[name].cpu, bare) for name in VARIANTS[1:])
    yield Row(
        "a request with everything unsampled: more",
        8,
        "µs",
        ours,
        ours=f"(of that, the hooks alone {Spread.of(hooks)} µs)",
        bare=f"{middle(bare):.0f} µs",
        upstream=f"+{Spread.of(upstream)} µs",
    )


def main():
    parser = argparse.ArgumentParser(description="What nothing costs.")
    parser.add_argument("--rounds", type=int, default=4)
    rows.argument(parser)
    options = parser.parse_args()
    cores.settle()
    print(machine())
    rows.report(of_calls(options.rounds), options.keep)
    rows.report(of_requests(options.rounds), options.keep)


if __name__ == "__main__":
    main()
