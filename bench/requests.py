"""
What a request costs: bare aiohttp, ours on each way out, and upstream's parts.

    python bench/requests.py [--seconds 240] [--rounds 5]

One service in a process of its own for each variant; they take turns in each round,
so that whatever else the machine does hits all of them. ``lines`` counts the line that
says that a request was served: 0 is with the access log off, 1 is that line alone (of
ours, the event), 3 and 10 have two and nine more of the handler. All but the bare one
export to a receiver in another process, which counts what arrives.

- CPU: of the service's process, its exporting threads and the last batch included,
  for one request, with 16 connections as fast as it goes; and what it is more than the
  bare one's of the same round
- req/s: as fast as it goes, one worker; kept: of the bare one's in the same round
- p99: then, and at 70 % of what the bare one can
- arrived: the share of lines and of spans that reached the receiver
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from statistics import median

from parts.load import as_fast_as_it_goes, at_a_rate
from parts.processes import receiver, service
from parts.table import goal, machine, percentile

VARIANTS = ("bare", "ours", "ours-sdk", "ours-app", "upstream")
# Lines a request: whether the access log is on, and the handler's lines.
CASES = {0: ("off", 0), 1: ("on", 0), 3: ("on", 2), 10: ("on", 9)}
OF_BARE = 0.7
HEAD = f"{'lines':>5}  {'variant':<9}{'CPU µs':>8}{'+ µs':>7}{'req/s':>8}{'kept':>7}"
HEAD += f"{'p99 ms':>9}{'at 70 %':>9}{'arrived':>9}"


class Cell:
    """What was measured of one variant with one number of lines, round by round."""

    def __init__(self, lines, variant):
        self.lines, self.variant = lines, variant
        self.cpu, self.rates, self.saturated, self.paced = [], [], [], []
        self.expected = self.arrived = 0

    def measure(self, process, collector, seconds, bare):
        access, of_handler = CASES[self.lines]
        path = f"/orders/{of_handler}"
        process.tell(f"access {access}")
        as_fast_as_it_goes(process.port, path, seconds / 6)
        process.drain()
        before, used = arrived(collector, self.variant), process.cpu()
        answered, took = as_fast_as_it_goes(process.port, path, seconds / 2)
        process.drain()
        self.cpu.append((process.cpu() - used) / len(answered) * 1e6)
        self.rates.append(len(answered) / took)
        self.saturated.append(1000 * percentile(answered, 0.99))
        rate = bare.rates[-1] * OF_BARE
        paced = at_a_rate(process.port, path, seconds / 3, rate)
        process.drain()
        self.paced.append(1000 * percentile(paced, 0.99))
        self.expected += (len(answered) + len(paced)) * (self.lines + 1)
        self.arrived += arrived(collector, self.variant) - before

    def more(self, bare):
        return [a - b for a, b in zip(self.cpu, bare.cpu, strict=True)]

    def kept(self, bare):
        return [100 * a / b for a, b in zip(self.rates, bare.rates, strict=True)]

    def row(self, bare):
        share = "" if self is bare else f"{self.arrived / self.expected:.1%}"
        return (
            f"{self.lines:>5}  {self.variant:<9}"
            f"{median(self.cpu):>8.0f}{median(self.more(bare)):>7.0f}"
            f"{median(self.rates):>8.0f}{median(self.kept(bare)):>6.0f}%"
            f"{median(self.saturated):>9.2f}{median(self.paced):>9.2f}{share:>9}"
        )


def arrived(collector, variant):
    counts = collector.get("/counts")
    return sum(counts.get(f"{variant} {signal}", 0) for signal in ("logs", "traces"))


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
        each = seconds / rounds / len(cells)
        for number in range(rounds):
            for cell in cells:
                bare = of(cells, cell.lines, "bare")
                cell.measure(processes[cell.variant], collector, each, bare)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)


def of(cells, lines, variant):
    return next(c for c in cells if (c.lines, c.variant) == (lines, variant))


def goals(cells):
    """Yield each row of the table that is about requests."""
    for lines in CASES:
        bare, ours, upstream = (
            of(cells, lines, name) for name in ("bare", "ours", "upstream")
        )
        pairs = zip(ours.more(bare), upstream.more(bare), strict=True)
        shares = [a / b for a, b in pairs]
        name = f"CPU added with {lines} lines, of upstream's"
        yield goal(name, shares, 1 / 15)
    bare, ours = of(cells, 3, "bare"), of(cells, 3, "ours")
    yield goal("requests/s kept, 3 lines", ours.kept(bare), 85, least=True, unit=" %")
    for name, mine, theirs, limit in (
        ("p99 at 70 % of bare's capacity, of bare's", ours.paced, bare.paced, 1.2),
        ("p99 saturated, of bare's", ours.saturated, bare.saturated, 1.3),
    ):
        ratios = [a / b for a, b in zip(mine, theirs, strict=True)]
        yield goal(f"{name}, 3 lines", ratios, limit)


def main():
    parser = argparse.ArgumentParser(description="What a request costs.")
    parser.add_argument("--seconds", type=float, default=240, help="in all, about")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cells = [Cell(lines, variant) for lines in CASES for variant in VARIANTS]
    run(options.rounds, options.seconds * 0.85, cells)
    print(machine())
    print(HEAD)
    for cell in cells:
        print(cell.row(of(cells, cell.lines, "bare")))
    print(*goals(cells), sep="\n")
    if any(c.arrived < c.expected for c in cells if c.variant.startswith("ours")):
        sys.exit("something of ours did not arrive")


if __name__ == "__main__":
    main()
