"""
Where ours spends it: a request's CPU, stage by stage.

    python bench/stages.py [--seconds 25]

A profiler sees what is compiled as its caller. So there is a ladder of services, each
with one thing more than the one before, and all take turns (see parts/turns.py). What
is printed is the CPU of the event loop's thread that each takes more than that one in
the same turn, the median with its quartiles; at last that of our other thread. On the
first rungs the lines go nowhere: that is aiohttp, the handler and ``logging``.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from parts import cores
from parts.machine import machine
from parts.processes import receiver, service
from parts.rows import Spread
from parts.turns import Seen, middle, more, there_and_back

UNSAMPLED = {"OTEL_TRACES_SAMPLER": "always_off"}
NO_LINES = {"OTEL_LOGS_EXPORTER": "none"}
# Of each rung: what it has more than the one before, the variant, its environment.
RUNGS = {
    "aiohttp, the handler, logging to nobody": ("silent", {}),
    "a middleware": ("middleware", {}),
    "a callback of the request's task": ("callback", {}),
    "a receiver of on_response_prepare": ("signal", {}),
    "ids, context, header; records stamped": ("stamped", {**UNSAMPLED, **NO_LINES}),
    "the span, with its bytes": ("stamped", NO_LINES),
    "the event and the lines, on stdout": ("ours", NO_LINES),
    "the bytes of the event and the lines": ("ours", {}),
}
LAST = list(RUNGS)[-1]
BARE = "beside it: bare, with its lines on stdout"
CASES = {0: ("off", 0), 3: ("on", 2), 10: ("on", 9)}
TURNS = 6


def start(stack, url):
    """Start all of them; return them by what they have more."""
    started = {}
    for rung, (variant, environment) in {**RUNGS, BARE: ("bare", {})}.items():
        started[rung] = service(variant, f"{url}/{variant}", **environment)
    for process in started.values():
        stack.enter_context(process)
    return started


def take_turns(processes, access, path, seconds):
    seen = {rung: Seen() for rung in processes}
    for rung, process in processes.items():
        process.log_access(access)
        seen[rung].warm(process, path, seconds)
    for turn in range(TURNS):
        for rung in there_and_back(turn, list(processes)):
            seen[rung].saturated(processes[rung], path, seconds, (0, turn))
    return seen


def show(seen):
    before = None
    for rung in RUNGS:
        loop = seen[rung].loop
        added = list(loop.values()) if before is None else more(loop, before)
        print(f"  {rung:<42} {Spread.of(added)}")
        before = loop
    last = seen[LAST]
    print(f"  {'the exporting thread':<42} {Spread.of(more(last.cpu, last.loop))}")
    print(f"  {'in all':<42} {middle(last.cpu):.1f}")
    print(f"  {BARE:<42} {middle(seen[BARE].cpu):.1f}")


def main():
    parser = argparse.ArgumentParser(description="Where it is spent.")
    parser.add_argument("--seconds", type=float, default=25, help="in all, about")
    parser.add_argument("--keep", help="nothing: it has no row")
    slices = len(CASES) * (len(RUNGS) + 1) * (TURNS + 1)
    seconds = parser.parse_args().seconds / slices
    cores.settle()
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        processes = start(stack, url)
        print(machine())
        for lines, (access, of_handler) in CASES.items():
            print(f"µs of CPU a request, {lines} lines")
            show(take_turns(processes, access, f"/orders/{of_handler}", seconds))


if __name__ == "__main__":
    main()
