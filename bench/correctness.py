"""
Whose request is on a line: the share of the lines that carry their own one's id.

    python bench/correctness.py [--requests 640]

All requests are on their way at once. Each comes with a trace id of its own and with
a number, which each of its lines repeats; what the receiver got is then compared. A
line without any id and one with another's are counted apart.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections import Counter

import aiohttp
from parts.processes import receiver, service

VARIANTS = ("ours", "ours-sdk", "upstream")
NUMBER = re.compile(r"#(\d+)#|/mixed/(\d+)")
# What a kind of line begins with, and how many requests have one line of it.
KINDS = {
    "handler": ("handler", 2),
    "task": ("task", 1),
    "asyncio.to_thread": ("to_thread", 1),
    "run_in_executor": ("executor", 1),
    "access line": (("127.0.0.1", "GET "), 1),  # the event of ours instead
    "error line": ("Error handling request", 1 / 8),
}
NO_ID = "0" * 32


def trace_id(number):
    return f"{2**100 + number:032x}"


async def send(port, requests):
    connector = aiohttp.TCPConnector(limit=0)
    base = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(base, connector=connector) as session:

        async def one(number):
            headers = {"traceparent": f"00-{trace_id(number)}-{number + 1:016x}-01"}
            async with session.get(f"/mixed/{number}", headers=headers) as response:
                await response.read()

        await asyncio.gather(*map(one, range(requests)))


def kind_of(text):
    return next((kind for kind, (start, _) in KINDS.items() if text.startswith(start)))


def judge(lines):
    """Return how many lines of each kind arrived, and how many with which id."""
    counts = Counter()
    for trace, text in lines:
        found = NUMBER.search(text)
        if found is None:  # the service's own, at start or end
            continue
        own = trace_id(int(found[1] or found[2]))
        whose = "own" if trace == own else "none" if trace in ("", NO_ID) else "other"
        counts[kind_of(text), whose] += 1
    return counts


def measure(variant, requests):
    with receiver("keep") as collector:
        url = f"http://127.0.0.1:{collector.port}/{variant}"
        with service(variant, url) as process:
            asyncio.run(send(process.port, requests))
            process.drain()
        kept = collector.get("/kept")
    spans = Counter(trace for trace, _ in kept.get(f"{variant} traces", ()))
    single = sum(spans[trace_id(number)] == 1 for number in range(requests))
    return judge(kept.get(f"{variant} logs", ())), single


def main():
    parser = argparse.ArgumentParser(description="Whose request is on a line.")
    parser.add_argument("--requests", type=int, default=640)
    requests = parser.parse_args().requests
    print(f"{requests} concurrent requests; Python {sys.version.split()[0]}")
    head = "".join(
        f"{x:>9}" for x in ("lines", "arrived", "own id", "other's", "no id")
    )
    print(f"{'variant':<9} {'kind':<18}{head}")
    for variant in VARIANTS:
        counts, single = measure(variant, requests)
        for kind, (_, share) in KINDS.items():
            own, other, none = (counts[kind, w] for w in ("own", "other", "none"))
            arrived = own + other + none
            print(
                f"{variant:<9} {kind:<18}{requests * share:>9.0f}{arrived:>9}"
                f"{own / max(1, arrived):>9.1%}{other / max(1, arrived):>9.1%}"
                f"{none / max(1, arrived):>9.1%}"
            )
        print(f"{variant:<9} one span, with the caller's trace id: {single}/{requests}")


if __name__ == "__main__":
    main()
