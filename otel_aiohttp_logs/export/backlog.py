"""The records of one signal that wait, and the count of what became of them."""

from __future__ import annotations

import sys
import threading
from collections import Counter, deque
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

from otel_aiohttp_logs.export.stats import SignalStats
from otel_aiohttp_logs.export.weight import LOG_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_WEIGHT = 64 << 20
"""Bytes that wait, as estimated by ``weight``."""
BATCH_WEIGHT = 4 << 20
"""Bytes in a batch. The Collector refuses requests of more than 20 MiB."""

_NEVER = sys.maxsize
R = TypeVar("R")


class Backlog(Generic[R]):
    """
    A bounded queue: any thread puts, one thread takes.

    When it's full the newest record is dropped and counted. To drop the oldest, a
    putting thread would have to take, too; and how an outage began is worth more
    than its thousandth line.

    ``put`` takes no lock: it's called by logging, which may run in a signal handler
    or a destructor in the middle of another ``put`` of the same thread.
    """

    def __init__(
        self, queue_size: int, batch_size: int, weigh: Callable[[R], int]
    ) -> None:
        self.wake: Callable[[], None] = lambda: None
        """Called by a putting thread as soon as a batch is complete."""
        self._queue_size = queue_size
        self._batch_size = batch_size
        self._weigh = weigh
        self._closed = False
        self.forget()

    def forget(self) -> None:
        """Begin anew, without records and counts. Nothing is waiting for a wake-up."""
        self._lock = threading.RLock()
        self._records: deque[tuple[R, int]] = deque()  # with their weights
        self._room = 0 if self._closed else self._queue_size
        self._wake_at = _NEVER
        # Only putting threads write the one and only the taking thread the other, so
        # no update is lost but among putting threads; an empty queue sets it right.
        self._weight_in = self._weight_out = 0
        self._taken = self._in_hand = self._exported = self._retried = 0
        self._dropped: Counter[str] = Counter()
        self._refused = {"queue_full": _Tally(), "closed": _Tally()}

    def put(self, record: R) -> None:
        """Append *record*, or count it as dropped. Never raises, never blocks."""
        records = self._records
        if (
            len(records) >= self._room
            or self._weight_in - self._weight_out >= MAX_WEIGHT
        ):
            self._refused["closed" if self._closed else "queue_full"].add()
            return
        weight = self._weight(record)
        self._weight_in += weight
        records.append((record, weight))
        if len(records) >= self._wake_at:
            self._wake_at = _NEVER
            self.wake()

    def _weight(self, record: R) -> int:
        try:
            return self._weigh(record)
        except Exception:  # noqa: BLE001 - a record of wrong types: see harmless.py
            return LOG_WEIGHT

    def rearm(self, wake_at: int | None = None) -> None:
        """Have ``wake`` called at the next full batch, or at *wake_at* records."""
        self._wake_at = wake_at or self._batch_size
        if len(self._records) >= self._wake_at:
            self._wake_at = _NEVER
            self.wake()

    def has_batch(self) -> bool:
        return len(self._records) >= self._batch_size

    def __len__(self) -> int:
        return len(self._records)

    def take(self) -> list[R]:
        """Return the oldest records, as many as fit into a batch: they are in hand."""
        batch: list[R] = []
        weight = 0
        with self._lock:
            while (
                self._records
                and len(batch) < self._batch_size
                and weight < BATCH_WEIGHT
            ):
                record, its_weight = self._records.popleft()
                batch.append(record)
                weight += its_weight
            self._weight_out += weight
            if not self._records:
                self._weight_out = self._weight_in
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
        self._room = 0

    def abandon(self, reason: str) -> int:
        """Drop whatever waits or is in hand, and return how much that was."""
        with self._lock:
            number = self._in_hand + len(self._records)
            self._taken += len(self._records)
            self._in_hand = 0
            self._records.clear()
            if number:
                self._dropped[reason] += number
        return number

    def position(self) -> int:
        """Return the number of the record last put, see ``finished``."""
        with self._lock:
            return self._taken + len(self._records)

    def finished(self) -> int:
        """Return the number of the last record that isn't waiting or in hand."""
        with self._lock:
            return self._taken - self._in_hand

    def stats(self) -> SignalStats:
        with self._lock:
            queued = self._in_hand + len(self._records)
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
