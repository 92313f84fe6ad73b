"""
From the queue to a real Collector: log records a second through one core.

    python bench/exporter.py [--rounds 5] [--records 300000] [--keep FILE]

Records are put into the exporter as fast as it takes them, in a process that has one
core to itself; the Collector has the others, and its own metric says what it accepted.
Beside ours stands upstream's batch processor with its exporter over OTLP/HTTP, with a
tenth of the records, in turns. Without the Collector's program (``scripts/backends
collector`` gets it) the receiver of the other scripts takes its place.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from parts import collector, cores, rows
from parts.machine import machine
from parts.processes import receiver
from parts.rows import Row, Spread, number

FOLDER = Path(__file__).parent / "parts"
VARIANTS = ("ours", "upstream")
FEWER = 10


def send(name, url, records):
    """Return what a process of its own took to deliver so many records."""
    process = subprocess.Popen(
        [sys.executable, str(FOLDER / "sender.py"), name, url, str(records)],
        env={"PYTHONPATH": ":".join(sys.path[1:]), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    )
    cores.move_service(process.pid)
    said, _ = process.communicate(timeout=120)
    if process.returncode:
        sys.exit(f"{name} failed")
    return json.loads(said)


@contextmanager
def somebody():
    """Yield what the receiving end is, its URL by sender, and what it has accepted."""
    program, remedy = collector.find()
    if program:
        with collector.running(program) as real:
            yield "the Collector", lambda _: real.url, real.log_records
        return
    print(f"No Collector: {remedy}. The receiver that counts takes its place.")
    with receiver() as counting:
        yield (
            "a receiver in Python",
            lambda name: f"http://127.0.0.1:{counting.port}/{name}",
            lambda: sum(counting.get("/counts").values()),
        )


def measure(rounds, records):
    """Return the records a second, of time and of CPU, by variant and round."""
    rates = {name: [] for name in VARIANTS}
    of_cpu = {name: [] for name in VARIANTS}
    with somebody() as (what, url, accepted):
        for _ in range(rounds):
            for name in VARIANTS:
                count = records if name == "ours" else records // FEWER
                before = accepted()
                took = send(name, url(name), count)
                arrived = accepted() - before
                if arrived != count:
                    sys.exit(f"{name}: {arrived} of {count} records arrived at {what}")
                rates[name].append(count / took["seconds"])
                of_cpu[name].append(count / took["cpu"])
    for name in VARIANTS:
        print(
            f"{name:<9}{Spread.of(rates[name])} a second, "
            f"{Spread.of(of_cpu[name])} a second of CPU, all accepted by {what}"
        )
    return rates, of_cpu


def goals(rates, of_cpu):
    ours, theirs = (rates[name] for name in VARIANTS)
    yield Row(
        "log records through the exporter, one core",
        150_000,
        "a second",
        ours,
        least=True,
        ours=f"{number(median(of_cpu['ours']))} a second of CPU",
        upstream=f"{number(median(theirs))} a second",
    )
    for what, rate in (("", rates), (" by CPU", of_cpu)):
        yield Row(
            f"log records through the exporter, of upstream's{what}",
            10,
            "times",
            [a / b for a, b in zip(*rate.values(), strict=True)],
            least=True,
        )


def main():
    parser = argparse.ArgumentParser(description="From the queue to the Collector.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=300_000)
    rows.argument(parser)
    options = parser.parse_args()
    cores.settle()
    print(machine())
    rows.report(goals(*measure(options.rounds, options.records)), options.keep)


if __name__ == "__main__":
    main()
