"""
Whether what we add grows with what there is of it, and the memory with time.

    python bench/growth.py [--rounds 3] [--turns 4] [--keep FILE]

- lines a request: 1, 10, 100: what a line costs, from 1 to 10 and from 10 to 100
- requests in flight: 1, 10, 100, 1000: what a request costs
- routes: 1, 10, 100, 1000: what a request costs
- time: under full load, memory is asked ten times

Each round has new processes, ours and a bare one, which take turns in short slices at
each of the points, the last one against the first in each turn. It grows if what it
takes with us grows, both by itself and as a multiple of what the bare one takes: what
aiohttp and ``logging`` get dearer by themselves isn't ours. The lesser of the two is
the row's figure; the other one and the bare one's own growth stand beside it.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from itertools import pairwise
from operator import sub, truediv
from statistics import median

from parts import cores, rows
from parts.load import saturate
from parts.machine import machine
from parts.processes import receiver, service, services
from parts.rows import Row, Spread
from parts.turns import Seen, there_and_back

VARIANTS = ("bare", "ours")
SLICE = 0.2
LOOKS, LOADED = 10, 0.6
NUMBERS = (1, 10, 100, 1000)
# By kind and point: the paths, and how many requests are on their way.
POINTS = {
    "lines": {n: ([f"/orders/{n}"], 16) for n in NUMBERS[:3]},
    "requests in flight": {n: (["/orders/10"], n) for n in NUMBERS},
    "routes": {n: ([f"/route{i}/7" for i in range(n)], 16) for n in NUMBERS},
}


def a_round(processes, seen, turns, number):
    """Let both take their turns at each point of each kind."""
    for kind, points in POINTS.items():
        for point, (paths, in_flight) in points.items():
            for name, process in processes.items():
                seen[kind, point, name].warm(process, paths, SLICE / 2, in_flight)
        for turn in range(turns):
            for point in there_and_back(turn, list(points)):
                for name in there_and_back(turn, VARIANTS):
                    seen[kind, point, name].saturated(
                        processes[name],
                        points[point][0],
                        SLICE,
                        (number, turn),
                        points[point][1],
                    )


def costs(seen, kind):
    """Return the microseconds of a request by variant and point, turn by turn."""
    return {
        name: {
            point: list(seen[kind, point, name].cpu.values()) for point in POINTS[kind]
        }
        for name in VARIANTS
    }


def of_a_line(by_point):
    """Return what one line more takes, by up to how many there are."""
    points = list(by_point)
    return {
        high: [
            (b - a) / (high - low)
            for a, b in zip(by_point[low], by_point[high], strict=True)
        ]
        for low, high in pairwise(points)
    }


def growth(by_point):
    """Return by how many % the last is more than the first is usually, by turn."""
    first, *_, last = by_point.values()
    usual = median(first)
    return [100 * (b - a) / usual for a, b in zip(first, last, strict=True)]


def each(operation, ours, bare):
    return {
        point: [operation(a, b) for a, b in zip(ours[point], bare[point], strict=True)]
        for point in bare
    }


def flat(kind, what, bare, ours):
    """Print what it takes at each point; return the row: it's the same at all."""
    title = f"{what}, by {kind}"
    for name, by_point in (("bare", bare), ("added", each(sub, ours, bare))):
        points = "  ".join(f"{at}: {Spread.of(took)}" for at, took in by_point.items())
        print(f"{title}: {name:<6}{points} (µs)")
    by_itself = growth(ours)
    of_bare = growth(each(truediv, ours, bare))
    return Row(
        f"{title}: grows",
        10,
        "%",
        min(by_itself, of_bare, key=median),
        ours=f"by itself {Spread.of(by_itself)}, of bare's {Spread.of(of_bare)} %",
        bare=f"{Spread.of(growth(bare))} %",
    )


def goals(seen):
    of_lines = costs(seen, "lines")
    yield flat("lines", "a line", *(of_a_line(of_lines[name]) for name in VARIANTS))
    for kind in ("requests in flight", "routes"):
        yield flat(kind, "a request", *costs(seen, kind).values())


def of_time(url):
    """Print the MiB in use, and return the row: what was added since the second."""
    used = []
    with service("ours", f"{url}/ours") as process:
        for _ in range(LOOKS):
            saturate(process.pool(16), "/orders/10", LOADED)
            process.drain()
            used.append(process.memory())
    print("memory over time:", "  ".join(f"{mib:.1f}" for mib in used), "(MiB)")
    return Row("memory added in some seconds", 2, "MiB", [used[-1] - used[1]])


def main():
    parser = argparse.ArgumentParser(description="What grows.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=4)
    rows.argument(parser)
    options = parser.parse_args()
    cores.settle()
    seen = {
        (kind, point, name): Seen()
        for kind, points in POINTS.items()
        for point in points
        for name in VARIANTS
    }
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        for number in range(options.rounds):
            with ExitStack() as of_round:
                processes = services(of_round, VARIANTS, url, ROUTES="1000")
                a_round(processes, seen, options.turns, number)
        print(machine())
        rows.report([*goals(seen), of_time(url)], options.keep)


if __name__ == "__main__":
    main()
