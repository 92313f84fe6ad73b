"""The records of one signal that wait, and the count of what became of them."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

from otel_aiohttp_logs.export.stats import SignalStats
from otel_aiohttp_logs.export.waiting import MAX_WEIGHT, NEVER, waiting

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

__all__ = ["BATCH_WEIGHT", "MAX_WEIGHT", "Backlog"]

BATCH_WEIGHT = 4 << 20
"""Bytes in a batch. The Collector refuses requests of more than 20 MiB."""
WORTH_A_POST = 256
"""
Records that are sent without waiting for more, though more may fit into a batch.

While a batch is made and sent the application's loop waits for the interpreter, or for
the core: with 512 the slowest of 100 requests take a quarter longer.
"""

R = TypeVar("R")


class Backlog(Generic[R]):
    """
    A bounded queue: any thread puts, one thread takes.

    When it's full the newest record is dropped and counted. To drop the oldest, a
    putting thread would have to take, too; and how an outage began is worth more
    than its thousandth line.
    """

    def __init__(
        self, queue_size: int, batch_size: int, weigh: Callable[[R], int]
    ) -> None:
        self.wake: Callable[[], None] = lambda: None
        """Called by a putting thread as soon as there's enough for a post."""
        self._queue_size = queue_size
        self._batch_size = batch_size
        self._enough = min(batch_size, WORTH_A_POST)
        self._closed = False
        self._waiting = waiting(self._wake, self._refuse, weigh)
        self.put: Callable[[R], None] = self._waiting.put
        """Append a record, or count it as dropped. Never raises, never blocks."""
        self.put_log: Callable[[logging.LogRecord, R], None] = self._waiting.put_log
        """The same, as an outlet of log records is called."""
        self.forget()

    def forget(self) -> None:
        """Begin anew, without records and counts. Nothing is waiting for a wake-up."""
        self._lock = threading.RLock()
        self._waiting.clear()
        self._waiting.room = 0 if self._closed else self._queue_size
        self._waiting.wake_at = NEVER
        self._taken = self._in_hand = self._exported = self._retried = 0
        self._dropped: Counter[str] = Counter()
        self._refused = {"queue_full": _Tally(), "closed": _Tally()}

    def _wake(self) -> None:
        self.wake()

    def _refuse(self) -> None:
        self._refused["closed" if self._closed else "queue_full"].add()

    def rearm(self, wake_at: int | None = None) -> None:
        """Have ``wake`` called as soon as there's enough, or at *wake_at* records."""
        wake_at = self._waiting.wake_at = wake_at or self._enough
        if len(self._waiting) >= wake_at:
            self._waiting.wake_at = NEVER
            self.wake()

    def has_batch(self) -> bool:
        """Tell whether there's enough for a post."""
        return len(self._waiting) >= self._enough

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> list[R]:
        """Return the oldest records, as many as fit into a batch: they are in hand."""
        with self._lock:
            batch = self._waiting.take(self._batch_size, BATCH_WEIGHT)
            self._taken += len(batch)
            self._in_hand += len(batch)
        return batch

    def exported(self, number: int) -> None:
        """Count *number* of the records in hand as accepted by the Collector."""
        with self._lock:
            number = min(number, self._in_hand)
            self._in_hand -= number
            self._exported += number

    def dropped(self, number: int, reason: str) -> None:
        """Count *number* of the records in hand as dropped."""
        with self._lock:
            number = min(number, self._in_hand)
            if number:
                self._in_hand -= number
                self._dropped[reason] += number

    def retried(self) -> None:
        with self._lock:
            self._retried += 1

    def close(self) -> None:
        """Accept nothing more. What waits can still be taken."""
        self._closed = True
        self._waiting.room = 0

    def abandon(self, reason: str) -> int:
        """Drop whatever waits or is in hand, and return how much that was."""
        with self._lock:
            left = len(self._waiting)
            number = self._in_hand + left
            self._taken += left
            self._in_hand = 0
            self._waiting.clear()
            if number:
                self._dropped[reason] += number
        return number

    def position(self) -> int:
        """Return the number of the record last put, see ``finished``."""
        with self._lock:
            return self._taken + len(self._waiting)

    def finished(self) -> int:
        """Return the number of the last record that isn't waiting or in hand."""
        with self._lock:
            return self._taken - self._in_hand

    def stats(self) -> SignalStats:
        with self._lock:
            queued = self._in_hand + len(self._waiting)
            dropped = dict(self._dropped)
            for reason, tally in self._refused.items():
                if number := tally.value():
                    dropped[reason] = number
            return SignalStats(
                emitted=self._exported + queued + sum(dropped.values()),
                exported=self._exported,
                queued=queued,
                spooled=0,
                dropped=dropped,
                retried=self._retried,
            )


class _Tally:
    """A count that any thread increases without a lock: ``next`` is one step in C."""

    def __init__(self) -> None:
        self._next = count()
        self._reads = 0

    def add(self) -> None:
        next(self._next)

    def value(self) -> int:
        """Return the count. It can be read only by increasing it, so by one thread."""
        self._reads += 1
        return next(self._next) - self._reads + 1
