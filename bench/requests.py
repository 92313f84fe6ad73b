"""
What a request costs: bare aiohttp, ours on each way out, and upstream's parts.

    python bench/requests.py [--rounds 6] [--turns 6] [--slice 0.25] [--keep FILE]

Each round has new processes, one for each variant, which take turns in short slices
(see parts/turns.py). ``lines`` counts the line that says that a request was served: 0
is with the access log off, 1 is that line alone (of ours, the event), 3 and 10 have two
and nine more of the handler. All but the bare one export to a receiver in another
process, which counts what arrives. The hooks and the SDK behind ours have a turn each
round, the others all of them.

- CPU: of the service's process for one request, its exporting threads and the last
  batch included, with 16 connections as fast as it goes; loop: of that, the event
  loop's thread; more: than the bare one's of the same turn, with quartiles
- req/s: as fast as it goes, one worker; kept: of the bare one's in the same turn
- p99: then, and at 70 % of what the bare one can in the same round. In these lines of
  all requests; in the rows, of those of a slice, by the bare one's of the same turn
- busy: the service's share of its core, and the generator's of the other one
- arrived: the share of lines and of spans that reached the receiver. A full queue
  drops; what ours drops it counts, and both together have to be all there was
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from parts import cores, rows
from parts.machine import machine
from parts.processes import receiver, services
from parts.rows import Row, Spread, number
from parts.turns import (
    Seen,
    middle,
    more,
    of_all,
    p99s,
    ratios,
    there_and_back,
)

VARIANTS = ("bare", "ours", "upstream")
SOMETIMES = ("hooks", "ours-sdk", "ours-app")
# Lines a request: whether the access log is on, and the handler's lines.
CASES = {0: ("off", 0), 1: ("on", 0), 3: ("on", 2), 10: ("on", 9)}
OF_BARE, OF_LINES = 0.7, 3
HEAD = f"{'lines':>5}  {'variant':<9}{'CPU µs':>7}{'loop':>6}{'more µs':>24}"
HEAD += f"{'req/s':>7}{'kept':>6}{'p99 ms':>8}{'at 70 %':>8}{'busy':>10}{'arrived':>9}"


class Plan(NamedTuple):
    rounds: int
    turns: int
    seconds: float
    """Of a slice."""


class Cell(Seen):
    """What was seen of one variant with one number of lines."""

    def __init__(self, lines, variant):
        super().__init__()
        self.lines, self.variant = lines, variant
        self.path = f"/orders/{CASES[lines][1]}"
        self.arrived = self.dropped = 0

    @property
    def expected(self):
        return self.requests * (self.lines + 1)

    def row(self, bare):
        added = "" if self is bare else Spread.of(more(self.cpu, bare.cpu))
        share = f"{self.arrived / self.expected:.1%}" if self.arrived else ""
        paced = f"{of_all(self.paced):.2f}" if self.paced else ""
        kept = 100 * median(ratios(self.rates, bare.rates))
        busy = f"{median(self.busy):.0%} {median(self.generator):.0%}"
        return (
            f"{self.lines:>5}  {self.variant:<9}{middle(self.cpu):>7.0f}"
            f"{middle(self.loop):>6.0f}{added!s:>24}{middle(self.rates):>7.0f}"
            f"{kept:>5.0f}%{of_all(self.latencies):>8.2f}{paced:>8}{busy:>10}{share:>9}"
        )


def arrived(collector, variant):
    counts = collector.get("/counts")
    return sum(counts.get(f"{variant} {signal}", 0) for signal in ("logs", "traces"))


def a_case(cells, processes, collector, plan, number):
    """Let the variants take their turns with one number of lines."""
    for cell in cells.values():
        process = processes[cell.variant]
        process.log_access(CASES[cell.lines][0])
        process.drain()
        cell.arrived -= arrived(collector, cell.variant)
        cell.dropped -= process.tell("dropped")
        cell.warm(process, cell.path, plan.seconds)
    for turn in range(plan.turns):
        order = VARIANTS if turn else (*VARIANTS, *SOMETIMES)
        for variant in there_and_back(turn, order):
            process, cell = processes[variant], cells[variant]
            cell.saturated(process, cell.path, plan.seconds, (number, turn))
    if cells["bare"].lines == OF_LINES:
        paced(cells, processes, plan, number)
    for cell in cells.values():
        processes[cell.variant].drain()
        cell.arrived += arrived(collector, cell.variant)
        cell.dropped += processes[cell.variant].tell("dropped")


def paced(cells, processes, plan, number):
    """The same at 70 % of what the bare one has just shown that it can."""
    rates = cells["bare"].rates
    rate = OF_BARE * median(rates[number, turn] for turn in range(plan.turns))
    for turn in range(plan.turns):
        # It's much too much for upstream, which takes its time: once is enough.
        order = VARIANTS[:2] if turn else VARIANTS
        for variant in there_and_back(turn, order):
            process, cell = processes[variant], cells[variant]
            cell.at_rate(process, cell.path, plan.seconds, (number, turn), rate)


def run(cells, plan):
    with ExitStack() as stack:
        collector = stack.enter_context(receiver())
        url = f"http://127.0.0.1:{collector.port}"
        for number in range(plan.rounds):
            with ExitStack() as of_round:
                processes = services(of_round, (*VARIANTS, *SOMETIMES), url)
                for by_variant in cells.values():
                    a_case(by_variant, processes, collector, plan, number)
            print(f"round {number + 1} of {plan.rounds}", file=sys.stderr)


def goals(cells):
    """Yield each row of the table that is about requests."""
    for lines, by_variant in cells.items():
        yield of_cpu(lines, *(by_variant[name].cpu for name in VARIANTS))
    yield of_delivery(cells)
    three = [cells[OF_LINES][name] for name in VARIANTS]
    yield of_throughput(*(cell.rates for cell in three))
    yield of_latency(
        "p99 at 70 % of bare's capacity, of bare's",
        1.2,
        *(cell.paced for cell in three),
    )
    yield of_latency("p99 saturated, of bare's", 1.3, *(c.latencies for c in three))


def of_cpu(lines, bare, ours, upstream):
    added, theirs = more(ours, bare), more(upstream, bare)
    return Row(
        f"CPU added with {lines} line{'' if lines == 1 else 's'}, of upstream's",
        1 / 15,
        "",
        [a / b for a, b in zip(added, theirs, strict=True)],
        ours=f"{Spread.of(added)} µs",
        bare=f"(takes {middle(bare):.0f} µs)",
        upstream=f"{Spread.of(theirs)} µs",
    )


def of_delivery(cells):
    ours, theirs = (
        min(100 * case[name].arrived / case[name].expected for case in cells.values())
        for name in ("ours", "upstream")
    )
    work = "spans and lines that arrived, the least of these"
    upstream = f"{number(theirs)} %"
    return Row(work, 100, "%", [ours], least=True, upstream=upstream)


def of_throughput(bare, ours, upstream):
    mine, theirs = (
        [100 * ratio for ratio in ratios(rates, bare)] for rates in (ours, upstream)
    )
    return Row(
        "requests/s kept, 3 lines",
        85,
        "%",
        mine,
        least=True,
        ours=f"{middle(ours):.0f} a second",
        bare=f"{middle(bare):.0f} a second",
        upstream=f"{Spread.of(theirs)} %",
    )


def of_latency(work, limit, bare, ours, upstream):
    times = median(ratios(p99s(upstream), p99s(bare)))
    return Row(
        work,
        limit,
        "times",
        ratios(p99s(ours), p99s(bare)),
        ours=f"{of_all(ours):.2f} ms",
        bare=f"{of_all(bare):.2f} ms",
        upstream=f"{number(times)} times",
    )


def main():
    parser = argparse.ArgumentParser(description="What a request costs.")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--turns", type=int, default=6, help="of a variant in a round")
    parser.add_argument("--slice", type=float, default=0.25, help="seconds of a turn")
    rows.argument(parser)
    options = parser.parse_args()
    cores.settle()
    cells = {
        lines: {name: Cell(lines, name) for name in (*VARIANTS, *SOMETIMES)}
        for lines in CASES
    }
    run(cells, Plan(options.rounds, options.turns, options.slice))
    print(machine(), HEAD, sep="\n")
    for by_variant in cells.values():
        for cell in by_variant.values():
            print(cell.row(by_variant["bare"]))
    rows.report(goals(cells), options.keep)
    ours = [by_variant["ours"] for by_variant in cells.values()]
    if any(cell.arrived + cell.dropped != cell.expected for cell in ours):
        sys.exit("what of ours arrived isn't what was logged and wasn't dropped")


if __name__ == "__main__":
    main()
