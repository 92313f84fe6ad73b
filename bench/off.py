"""
What we cost where there is nothing to do: beside the same without us.

    python bench/off.py [--rounds 15]

- a log call that its level switches off, in an application with us and without
- a record outside of any request, to a handler that does nothing, and to ours
- a request that nobody samples (``OTEL_TRACES_SAMPLER=always_off``) without a line

The first two are measured in processes of their own that take turns, the last one is
a service under load.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack
from statistics import median

from parts.load import as_fast_as_it_goes
from parts.processes import receiver, service
from parts.table import goal, machine

PROGRAM = """
import asyncio, json, logging, sys, time
from aiohttp import web

class Nowhere(logging.Handler):
    def handle(self, record):
        return True

log = logging.getLogger("shop")
logging.getLogger().setLevel(logging.INFO)
logging.getLogger().addHandler(Nowhere())

def best(call):
    took = []
    for _ in range(30):
        start = time.perf_counter()
        for _ in range(2000):
            call("nothing %s", 1)
        took.append((time.perf_counter() - start) / 2000 * 1e6)
    return min(took)

async def main():
    app = web.Application()
    if sys.argv[1] == "ours":
        from otel_aiohttp_logs import instrument_app
        instrument_app(app)
    runner = web.AppRunner(app)
    await runner.setup()
    print(json.dumps({"off": best(log.debug), "outside": best(log.info)}), flush=True)
    await runner.cleanup()

asyncio.run(main())
"""


def calls(name):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        env={"OTEL_LOGS_EXPORTER": "none", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def unsampled(rounds):
    """Return the CPU that a request takes without us, and unsampled with us, in µs."""
    took = {"bare": [], "ours": []}
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        off = {"OTEL_TRACES_SAMPLER": "always_off"}
        processes = {
            name: stack.enter_context(service(name, f"{url}/{name}", **off))
            for name in took
        }
        for process in processes.values():
            process.tell("access off")
            as_fast_as_it_goes(process.port, "/orders/0", 1)
        for _ in range(rounds):
            for name, process in processes.items():
                used = process.cpu()
                answered, _ = as_fast_as_it_goes(process.port, "/orders/0", 0.7)
                took[name].append((process.cpu() - used) / len(answered) * 1e6)
    return took


def main():
    parser = argparse.ArgumentParser(description="What nothing costs.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    pairs = [(calls("bare"), calls("ours")) for _ in range(rounds)]
    print(machine())
    off = [100 * ours["off"] / bare["off"] - 100 for bare, ours in pairs]
    outside = [ours["outside"] - bare["outside"] for bare, ours in pairs]
    bare = median(bare["off"] for bare, _ in pairs)
    print(f"a log call switched off takes {bare:.3f} µs without us")
    print(goal("a log call switched off: more", off, 2, unit=" %"))
    print(goal("a record outside of any request: more", outside, 1, unit=" µs"))
    took = unsampled(rounds)
    more = [ours - bare for bare, ours in zip(*took.values(), strict=True)]
    print(goal("a request with everything unsampled: more", more, 8, unit=" µs"))


if __name__ == "__main__":
    main()
