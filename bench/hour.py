"""
An hour of steady load: whether memory stays flat, and what a line costs.

    python bench/hour.py [--minutes 60] [--rate 400] [--keep FILE]

A hundred routes in turn, three lines a request; some handlers take long, some fail.
All is delivered to the receiver. Each minute says what there is. A service without us
has the same load for a third as long, in turns, and tells how fast the machine is just
then. At the end of each minute both are asked as fast as it goes, in short slices that
take turns: whether the CPU of a request grows, by itself and as a multiple of the bare
one's. The lesser of the two counts, see bench/growth.py.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from statistics import median

from parts import cores, rows
from parts.load import as_fast_as_it_goes, at_a_rate
from parts.machine import machine
from parts.processes import receiver, service
from parts.rows import Row, number

ROUTES = 100
# The handler's two lines and the event, or the access line; aiohttp says what failed.
LINES, WHEN_IT_FAILS = 3, 4
PATHS = [f"/route{n}/2" for n in range(ROUTES)] + ["/slow/2"] * 5 + ["/fails/2"] * 2
SETTLED = 5
TURNS = 3
SLICES, SLICE = 4, 0.25
HEAD = (
    "        at the rate: CPU a request     as fast as it goes\n"
    "minute  RSS MiB  objects    ours    bare  p90 ms    ours    bare"
    "  requests     lines     spans"
)


class Service:
    """One of the two, and what was seen of it, minute by minute."""

    def __init__(self, process):
        self.process = process
        self.cpu, self.saturated, self.memory, self.latencies = [], [], [], []
        self.requests = self.failed = 0

    def turn(self, seconds, rate):
        """Return the CPU of one turn, and how many requests it was for."""
        before = self.process.cpu()
        answers = (
            at_a_rate(self.process.port, PATHS, seconds, rate)
            if rate
            else as_fast_as_it_goes(self.process.port, "/orders/2", seconds)
        )
        self.process.flush()
        used = self.process.cpu() - before
        self.requests += len(answers.latencies)
        self.failed += answers.failed
        if rate:
            self.latencies = answers.latencies
        return used * 1e6, len(answers.latencies)

    @property
    def lines(self):
        return self.requests * LINES + self.failed * (WHEN_IT_FAILS - LINES)


def minute(ours, bare, rate, seconds):
    """Let them take turns for about a minute: three parts ours, one bare."""
    part = (seconds - 2 * SLICES * SLICE) / TURNS / 4
    turns = [(ours.turn(part * 3, rate), bare.turn(part, rate)) for _ in range(TURNS)]
    slices = [(ours.turn(SLICE, None), bare.turn(SLICE, None)) for _ in range(SLICES)]
    for each, turn, slice_ in zip(
        (ours, bare), zip(*turns, strict=True), zip(*slices, strict=True), strict=True
    ):
        used, requests = (sum(values) for values in zip(*turn, strict=True))
        each.cpu.append(used / requests)
        each.saturated.append(median(used / requests for used, requests in slice_))
    ours.memory.append(ours.process.memory())


def grown(costs):
    """Return by how many % the last tenth of the minutes cost more than the first."""
    tenth = max(1, len(costs) // 10)
    return 100 * (median(costs[-tenth:]) / median(costs[:tenth]) - 1)


def said(minute_, ours, bare, counts):
    ordered = sorted(ours.latencies)
    p90 = ordered[int(len(ordered) * 0.9)] * 1000
    objects = ours.process.tell("objects")
    return (
        f"{minute_:>6}{ours.memory[-1]:>9.2f}{objects:>9}{ours.cpu[-1]:>8.0f}"
        f"{bare.cpu[-1]:>8.0f}{p90:>8.2f}"
        f"{ours.saturated[-1]:>8.0f}{bare.saturated[-1]:>8.0f}"
        f"{ours.requests:>10}"
        f"{counts.get('ours logs', 0):>10}{counts.get('ours traces', 0):>10}"
    )


def goals(ours, bare, counts):
    """Yield what is to be reached."""
    settled = ours.memory[min(SETTLED, len(ours.memory)) - 1]
    added = ours.memory[-1] - settled
    yield Row("hour: memory added since it settled", 2, "MiB", [added])
    both = zip(ours.saturated, bare.saturated, strict=True)
    by_itself, of_bare = grown(ours.saturated), grown([a / b for a, b in both])
    yield Row(
        "hour: a request with 3 lines costs more at the end",
        10,
        "%",
        [min(by_itself, of_bare)],
        ours=f"by itself {number(by_itself)}, of bare's {number(of_bare)} %",
        bare=f"{number(grown(bare.saturated))} %",
    )
    arrived = counts["ours logs"] + counts["ours traces"]
    share = 100 * arrived / (ours.lines + ours.requests)
    yield Row("hour: arrived", 100, "%", [share], least=True)


def main():
    parser = argparse.ArgumentParser(description="An hour of load.")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rate", type=float, default=400, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60, help="of a minute")
    rows.argument(parser)
    options = parser.parse_args()
    cores.settle()
    with ExitStack() as stack:
        collector = stack.enter_context(receiver())
        url = f"http://127.0.0.1:{collector.port}"
        ours, bare = (
            Service(stack.enter_context(service(name, f"{url}/{name}", ROUTES="100")))
            for name in ("ours", "bare")
        )
        print(machine(), HEAD, sep="\n", flush=True)
        for number in range(options.minutes):
            minute(ours, bare, options.rate, options.seconds)
            print(said(number + 1, ours, bare, collector.get("/counts")), flush=True)
        ours.process.drain()
        counts, dropped = collector.get("/counts"), ours.process.tell("dropped")
    expected = f"{ours.lines} lines and {ours.requests} spans were to arrive"
    print(f"{expected}, {dropped} of them were dropped")
    found = list(goals(ours, bare, counts))
    rows.report(found, options.keep)
    if not found[-1].reached:
        sys.exit("something did not arrive")


if __name__ == "__main__":
    main()
