"""
Variants of the service that take turns in short slices, and what each slice took.

A machine is now faster, now slower, and a neighbour takes the core for a moment. Slices
of a quarter of a second that follow each other are hit alike: what is compared are
those of the same turn, and what counts is the median of all these comparisons.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from statistics import median

from parts.load import pace, saturate


class Seen:
    """What was seen of a variant, by turn."""

    def __init__(self):
        self.cpu, self.loop, self.rates = {}, {}, {}
        """Microseconds of CPU a request, those of the loop's thread, requests/s."""
        self.latencies = defaultdict(lambda: array("d"))
        """Of the requests of a slice, in seconds."""
        self.paced = defaultdict(lambda: array("d"))
        """The same at a given rate."""
        self.requests = 0
        self.busy, self.generator = [], []
        """How much of its core the service had, and the generator of the load."""

    def saturated(self, process, path, seconds, turn, number=16):
        """Take a turn as fast as it goes. *turn* is the round and its number in it."""
        cpu, loop = process.cpu(), process.cpu_of_loop()
        answers = saturate(process.pool(number), path, seconds)
        self.busy.append((process.cpu() - cpu) / answers.seconds)
        process.flush()  # so that none pays for what another has left to send
        count = len(answers.latencies)
        self.cpu[turn] = (process.cpu() - cpu) / count * 1e6
        self.loop[turn] = (process.cpu_of_loop() - loop) / count * 1e6
        self.rates[turn] = answers.rate
        self.latencies[turn].extend(answers.latencies)
        self.generator.append(answers.busy)
        self.requests += count

    def at_rate(self, process, path, seconds, turn, rate):
        answers = pace(process.pool(64), path, seconds, rate)
        process.flush()
        self.paced[turn].extend(answers.latencies)
        self.requests += len(answers.latencies)

    def warm(self, process, path, seconds, number=16):
        """Let it run in; what it sends is counted with the rest."""
        answers = saturate(process.pool(number), path, seconds)
        process.flush()
        self.requests += len(answers.latencies)


def more(mine, theirs):
    """Return what one took more than the other, turn by turn."""
    return [mine[turn] - theirs[turn] for turn in mine if turn in theirs]


def ratios(mine, theirs):
    return [mine[turn] / theirs[turn] for turn in mine if turn in theirs]


def p99(latencies):
    """Return the milliseconds that one of a hundred took longer."""
    ordered = sorted(latencies)
    return ordered[int(len(ordered) * 0.99)] * 1000 if ordered else 0.0


def p99s(by_turn):
    return {turn: p99(latencies) for turn, latencies in by_turn.items()}


def of_all(by_turn):
    return p99([one for latencies in by_turn.values() for one in latencies])


def there_and_back(number, variants):
    """Return the order of a turn: every second one backwards, against drift."""
    return variants if number % 2 == 0 else variants[::-1]


def middle(by_turn):
    return median(by_turn.values())
