"""
What a request costs: bare aiohttp, ours on both ways out, and upstream's parts.

    python bench/requests.py [--seconds 80] [--rounds 5]

One service in a process of its own for each variant; they take turns in each round,
so that whatever else the machine does hits all of them. ``lines`` counts the access
line: 0 is with the access log off, 1 is the access line alone, 5 has four more of the
handler. All but the bare one export to a receiver in another process.

- CPU: of the service's process, its exporting threads and the last batch included,
  for one request, with 16 connections as fast as it goes: the median of the rounds,
  and of what it is more and times the bare one's of the same round
- p50, p99: at a fixed rate that none of them is at its limit with
- arrived: the share of lines and of spans that reached the receiver
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from contextlib import ExitStack
from datetime import datetime, timezone
from statistics import median

from parts.load import as_fast_as_it_goes, at_a_rate
from parts.processes import receiver, service

VARIANTS = ("bare", "ours", "ours-sdk", "upstream")
# Lines a request: whether the access log is on, and the handler's lines.
CASES = {0: ("off", 0), 1: ("on", 0), 5: ("on", 4)}
RATE = 500
HEAD = f"{'lines':>5}  {'variant':<9}{'CPU µs':>8}{'+ µs':>7}{'ratio':>7}"
HEAD += f"{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'arrived':>9}"


class Cell:
    """What was measured of one variant with one number of lines, round by round."""

    def __init__(self, lines, variant):
        self.lines, self.variant = lines, variant
        self.cpu, self.rates, self.latencies = [], [], []
        self.expected = self.arrived = 0

    def measure(self, process, collector, seconds):
        access, of_handler = CASES[self.lines]
        path = f"/orders/{of_handler}"
        process.tell(f"access {access}")
        as_fast_as_it_goes(process.port, path, seconds / 6)
        process.drain()
        before, used = arrived(collector, self.variant), process.cpu()
        number, took = as_fast_as_it_goes(process.port, path, seconds / 2)
        process.drain()
        self.cpu.append((process.cpu() - used) / number * 1e6)
        self.rates.append(number / took)
        latencies = at_a_rate(process.port, path, seconds / 3, RATE)
        process.drain()
        self.latencies += latencies
        self.expected += (number + len(latencies)) * (self.lines + 1)
        self.arrived += arrived(collector, self.variant) - before

    def row(self, bare):
        cpu = zip(self.cpu, bare.cpu, strict=True)
        more, ratios = zip(*((a - b, a / b) for a, b in cpu), strict=True)
        ordered = sorted(self.latencies)
        p50, p99 = (1000 * ordered[int(len(ordered) * q)] for q in (0.5, 0.99))
        share = "" if self is bare else f"{self.arrived / self.expected:.1%}"
        return (
            f"{self.lines:>5}  {self.variant:<9}"
            f"{median(self.cpu):>8.0f}{median(more):>7.0f}{median(ratios):>7.2f}"
            f"{median(self.rates):>8.0f}{p50:>8.2f}{p99:>8.2f}{share:>9}"
        )


def arrived(collector, variant):
    counts = collector.get("/counts")
    return sum(counts.get(f"{variant} {signal}", 0) for signal in ("logs", "traces"))


def machine():
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"{datetime.now(timezone.utc):%Y-%m-%d}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores ({platform.machine()}), load {load}"
    )


def run(rounds, seconds, cells):
    """Let the variants take turns."""
    with ExitStack() as stack:
        collector = stack.enter_context(receiver())
        url = f"http://127.0.0.1:{collector.port}"
        processes = {
            variant: stack.enter_context(service(variant, f"{url}/{variant}"))
            for variant in VARIANTS
        }
        for process in processes.values():
            as_fast_as_it_goes(process.port, "/orders/4", 0.5)
        for number in range(rounds):
            for cell in cells:
                each = seconds / rounds / len(cells)
                cell.measure(processes[cell.variant], collector, each)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description="What a request costs.")
    parser.add_argument("--seconds", type=float, default=80, help="in all, about")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cells = [Cell(lines, variant) for lines in CASES for variant in VARIANTS]
    run(options.rounds, options.seconds * 0.85, cells)
    print(machine())
    print(HEAD)
    for cell in cells:
        print(cell.row(next(c for c in cells if c.lines == cell.lines)))


if __name__ == "__main__":
    main()
