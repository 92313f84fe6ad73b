"""The records of one signal that wait, in order, with what they weigh."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from otel_aiohttp_logs._speed import native
from otel_aiohttp_logs.export.weight import LOG_WEIGHT

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

MAX_WEIGHT = 64 << 20
"""Bytes that wait, as estimated by ``weight``."""
NEVER = sys.maxsize
R = TypeVar("R")


class Waiting(Generic[R]):
    """
    A queue for any number of putting threads and one that takes.

    ``put`` takes no lock: it's called by logging, which may run in a signal handler
    or a destructor in the middle of another ``put`` of the same thread.

    In the compiled twin records wait that were encoded as they were made, among flat
    ones: those that only ``messages`` can encode, or that have other outlets, too.
    """

    def __init__(
        self,
        wake: Callable[[], object],
        refuse: Callable[[], object],
        weigh: Callable[[R], int],
    ) -> None:
        self.wake = wake
        """Called once, with no arguments, when *wake_at* records wait."""
        self.wake_at = NEVER
        self.room = 0
        """How many records may wait; for each one that may not *refuse* is called."""
        self._refuse = refuse
        self._weigh = weigh
        self._records: deque[tuple[R, int]] = deque()  # with their weights
        # Only putting threads write the one and only the taking thread the other, so
        # no update is lost but among putting threads; an empty queue sets it right.
        self._weight_in = self._weight_out = 0

    def clear(self) -> None:
        """Forget the records that wait."""
        self._records.clear()
        self._weight_in = self._weight_out = 0

    def put(self, record: R) -> None:
        """Append *record*, or have it refused. Never blocks."""
        records = self._records
        if (
            len(records) >= self.room
            or self._weight_in - self._weight_out >= MAX_WEIGHT
        ):
            self._refuse()
            return
        weight = self._weight(record)
        self._weight_in += weight
        records.append((record, weight))
        if len(records) >= self.wake_at:
            self.wake_at = NEVER
            self.wake()

    def put_log(self, _: logging.LogRecord, record: R) -> None:
        """Append *record*, which was made of a log record."""
        self.put(record)

    def take(self, most: int, most_weight: int) -> list[R]:
        """Return the oldest records, as many as fit."""
        batch: list[R] = []
        weight = 0
        while self._records and len(batch) < most and weight < most_weight:
            record, its_weight = self._records.popleft()
            batch.append(record)
            weight += its_weight
        self._weight_out += weight
        if not self._records:
            self._weight_out = self._weight_in
        return batch

    def __len__(self) -> int:
        return len(self._records)

    def _weight(self, record: R) -> int:
        try:
            return self._weigh(record)
        except Exception:  # noqa: BLE001 - a record of wrong types: see harmless.py
            return LOG_WEIGHT


def waiting(
    wake: Callable[[], object],
    refuse: Callable[[], object],
    weigh: Callable[[R], int],
) -> Waiting[R]:
    """Return an empty ``Waiting``, of the compiled kind if there is one."""
    if native is None:
        return Waiting(wake, refuse, weigh)
    made: Waiting[R] = native.Waiting(wake, refuse, weigh)
    return made
