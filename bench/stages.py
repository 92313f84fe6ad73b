"""
Where ours spends it: the CPU of each thread, and the event loop's by stage.

    python bench/stages.py [--seconds 12]

First the microseconds of CPU a request of the event loop's thread and of the others
(which export), beside the bare one's in turns. Then a profile of the loop's thread by
stage and function. What is compiled has no frame of its own there and counts for the
Python function that called it: a compiled stage shows under its caller's name, so read
the shares together with the CPU above them.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from statistics import median

from parts import cores
from parts.load import saturate
from parts.machine import machine
from parts.processes import receiver, services
from parts.turns import Seen, middle, there_and_back

VARIANTS = ("bare", "ours")
CASES = {0: ("off", 0), 3: ("on", 2), 10: ("on", 9)}
TURNS = 5
LEAST = 0.01


def threads(processes, path, seconds):
    """Print what each thread takes for a request."""
    seen = {name: Seen() for name in VARIANTS}
    for name, process in processes.items():
        seen[name].warm(process, path, seconds)
    for turn in range(TURNS):
        for name in there_and_back(turn, VARIANTS):
            seen[name].saturated(processes[name], path, seconds, (0, turn))
    for name, one in seen.items():
        others = median(one.cpu[turn] - one.loop[turn] for turn in one.cpu)
        print(f"  {name:<5} loop {middle(one.loop):6.1f} µs  others {others:6.1f} µs")


def profile(process, path, seconds):
    """Print where the loop's thread was seen, the most frequent first."""
    process.tell("profile on")
    saturate(process.pool(16), path, seconds)
    counts = process.tell("profile off")
    total = sum(counts.values())
    print(f"  the loop's thread of ours, {total} samples")
    for stage, number in sorted(counts.items(), key=lambda item: -item[1]):
        if number >= total * LEAST:
            print(f"  {number / total:6.1%}  {stage}")


def main():
    parser = argparse.ArgumentParser(description="Where it is spent.")
    parser.add_argument("--seconds", type=float, default=12, help="in all, about")
    parser.add_argument("--keep", help="nothing: it has no row")
    each = parser.parse_args().seconds / len(CASES) / 2
    cores.settle()
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        processes = services(stack, VARIANTS, url)
        print(machine())
        for lines, (access, of_handler) in CASES.items():
            print(f"{lines} lines")
            for process in processes.values():
                process.log_access(access)
            path = f"/orders/{of_handler}"
            threads(processes, path, each / TURNS / len(VARIANTS))
            profile(processes["ours"], path, each)


if __name__ == "__main__":
    main()
