"""
Whether the cost of a line grows with what there is of it, and the memory with time.

    python bench/growth.py [--seconds 120]

- lines a request: 1, 10, 100
- requests in flight: 1, 10, 100, 1000
- routes: 1, 10, 100, 1000
- time: the load goes on for half of the seconds; memory is asked ten times

What a request costs is what its CPU takes more with us than bare; what a line costs is
what it takes more with it than without. That it gets less is none of our worries.
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
    ratios = [100 * (cost - first) / first for cost in costs[-1]]
    print(goal(f"{title}: grows by", ratios, 10, unit=" %"))


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


def more(ours, bare, paths, seconds, number=16):
    """Return what a request takes more with us than bare, round by round."""
    return [
        cpu(ours, paths, seconds, number) - cpu(bare, paths, seconds, number)
        for _ in range(ROUNDS)
    ]


def in_flight(ours, bare, seconds):
    costs = [
        more(ours, bare, "/orders/10", seconds, number) for number in (1, 10, 100, 1000)
    ]
    flat("a request, by requests in flight", (1, 10, 100, 1000), costs)


def routes(ours, bare, seconds):
    costs = []
    for number in (1, 10, 100, 1000):
        paths = [f"/route{n}/7" for n in range(number)]
        costs.append(more(ours, bare, paths, seconds))
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
        bare = stack.enter_context(service("bare", url, ROUTES="1000"))
        for process in (ours, bare):
            process.tell("access on")
            as_fast_as_it_goes(process.port, "/orders/10", 1)
        print(machine())
        each = seconds / 2 / (ROUNDS * 22) / 1.25
        lines(ours, each)
        in_flight(ours, bare, each)
        routes(ours, bare, each)
        memory(ours, seconds / 2)


if __name__ == "__main__":
    main()
