"""
Whether the cost of a line grows with what there is of it, and the memory with time.

    python bench/growth.py [--seconds 120]

- lines a request: 1, 10, 100
- requests in flight: 1, 10, 100, 1000
- routes: 1, 10, 100, 1000
- time: the load goes on for half of the seconds; memory is asked ten times

A line's cost is what the CPU of a request with ten lines takes more with us than bare,
for one of them.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from statistics import median

from parts.load import as_fast_as_it_goes
from parts.processes import receiver, service
from parts.table import goal, machine

ROUNDS = 3


def cpu(process, path, seconds, number=16):
    """Return the microseconds of CPU of one request, and of sending what it made."""
    as_fast_as_it_goes(process.port, path, seconds / 4, number)
    process.drain()
    used = process.cpu()
    answered, _ = as_fast_as_it_goes(process.port, path, seconds, number)
    process.drain()
    return (process.cpu() - used) / len(answered) * 1e6


def flat(title, points, costs):
    """Print *costs* by point, each round by round, and whether they are the same."""
    shown = "  ".join(
        f"{p}: {median(c):.1f}" for p, c in zip(points, costs, strict=True)
    )
    print(f"{title}: {shown} (µs)")
    first = median(costs[0])
    ratios = [100 * abs(cost - first) / first for cost in costs[-1]]
    print(goal(f"{title}: the last differs from the first by", ratios, 10, unit=" %"))


def lines(ours, seconds):
    """What one line more costs, by how many there are."""
    costs = []
    for number in (1, 10, 100):
        rounds = []
        for _ in range(ROUNDS):
            few = cpu(ours, "/orders/0", seconds)
            rounds.append((cpu(ours, f"/orders/{number}", seconds) - few) / number)
        costs.append(rounds)
    flat("a line, by lines a request", (1, 10, 100), costs)


def in_flight(ours, seconds):
    costs = []
    for number in (1, 10, 100, 1000):
        path = "/slow/10"
        costs.append([cpu(ours, path, seconds, number) for _ in range(ROUNDS)])
    flat("a request, by requests in flight", (1, 10, 100, 1000), costs)


def routes(ours, seconds):
    costs = []
    for number in (1, 10, 100, 1000):
        paths = [f"/route{n}/7" for n in range(number)]
        costs.append([cpu(ours, paths, seconds) for _ in range(ROUNDS)])
    flat("a request, by routes", (1, 10, 100, 1000), costs)


def memory(ours, seconds):
    """Print the megabytes in use, ten times, and what was added since the second."""
    used = []
    for _ in range(10):
        as_fast_as_it_goes(ours.port, "/orders/10", seconds / 10)
        ours.drain()
        used.append(ours.tell("memory")["rss"] / 2**20)
    print("memory over time:", "  ".join(f"{mib:.1f}" for mib in used), "(MiB)")
    print(
        goal(
            "memory, added since the second look", [used[-1] - used[1]], 2, unit=" MiB"
        )
    )


def main():
    parser = argparse.ArgumentParser(description="What grows.")
    parser.add_argument("--seconds", type=float, default=120, help="in all, about")
    seconds = parser.parse_args().seconds
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        ours = stack.enter_context(service("ours", f"{url}/ours", ROUTES="1000"))
        ours.tell("access on")
        as_fast_as_it_goes(ours.port, "/orders/10", 1)
        print(machine())
        each = seconds / 2 / (ROUNDS * 14) / 1.25
        lines(ours, each)
        in_flight(ours, each)
        routes(ours, each)
        memory(ours, seconds / 2)


if __name__ == "__main__":
    main()
