"""
Serves as many requests as its argument says, and prints what is left of them.

``python memory_requests.py ours|plain NUMBER``: one JSON object on stdout.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from memory_app import alive, make_app, serve, what_is_there
from memory_client import PER_ROUND, make_round

from otel_aiohttp_logs import flush, stats

WARM_UP = 60
WITHOUT_GC = 20
AT_ONCE = 4


async def main(kind: str, number: int) -> None:
    # Nobody listens: without us aiohttp's error lines would go to stderr.
    logging.getLogger().addHandler(logging.NullHandler())
    # One worker from the start: a pool that grows would be taken for one that leaks.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    runner, port = await serve(make_app(ours=kind == "ours"))
    rounds = -(-number // PER_ROUND)
    await _rounds(port, WARM_UP)
    before = await _left()
    begun = time.process_time()
    await _rounds(port, rounds)
    cpu = time.process_time() - begun
    after = await _left()
    figures = {
        "requests": rounds * PER_ROUND,
        "alive": len(alive),
        "grown": {name: after[name] - before.get(name, 0) for name in after},
        "us_each": round(cpu / rounds / PER_ROUND * 1e6),
        "alive_without_gc": await _without_gc(port),
        "spans": stats().spans.emitted,
        "dropped": sum(stats().spans.dropped.values()),
        "failures": stats().telemetry_failures,
    }
    figures["grown"] = {name: by for name, by in figures["grown"].items() if by}
    print(json.dumps(figures))
    await runner.cleanup()


async def _rounds(port: int, number: int) -> None:
    left = iter(range(number))

    async def some() -> None:
        for i in left:
            await make_round(port, i)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def _left() -> dict[str, int]:
    """What is there when nothing is served, nothing queued, and all garbage is gone."""
    for _ in range(500):
        if len(asyncio.all_tasks()) == 1:
            break
        await asyncio.sleep(0.01)
    await asyncio.get_running_loop().run_in_executor(None, flush)
    for _ in range(3):
        gc.collect()
    return {
        **what_is_there(),
        "blocks": sys.getallocatedblocks(),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def _without_gc(port: int) -> int:
    """Return how many requests only the garbage collector would end."""
    gc.disable()
    await _rounds(port, WITHOUT_GC)
    await asyncio.sleep(0.05)
    left = len(alive)
    gc.enable()
    return left


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
