"""
Progress lines, and the table at the end.
"""

from __future__ import annotations

import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STARTED = time.monotonic()
MOST_SHOWN = 5


def say(text: str) -> None:
    print(f"stack[{time.monotonic() - STARTED:.1f} s]: {text}", flush=True)


@dataclass
class Row:
    """
    One assertion: what it says, what was counted, what was wrong.
    """

    number: int
    says: str
    counts: str = ""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0

    def all_of(self, good: int, wanted: int, what: str) -> None:
        """
        Count *good* of *wanted*, which has to be all of them, and more than none.
        """
        self.count(f"{good:,} of {wanted:,} {what}")
        if good != wanted or not wanted:
            self.wrong.append(f"only {good:,} of {wanted:,} {what}")

    def count(self, text: str) -> None:
        self.counts = f"{self.counts}, {text}" if self.counts else text

    def expect(self, holds: object, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)

    def none_of(self, found: Iterable[str]) -> None:
        self.wrong.extend(found)


@dataclass
class Report:
    rows: list[Row] = field(default_factory=list)

    @contextmanager
    def row(self, number: int, says: str) -> Iterator[Row]:
        """
        Add a row; an error while it is made fails it, and the next one is made.
        """
        row = Row(number, says)
        self.rows.append(row)
        started = time.monotonic()
        try:
            yield row
        except Exception as exc:  # noqa: BLE001 - whatever it is, the row has failed
            at = traceback.extract_tb(exc.__traceback__)[-1]
            row.wrong.append(f"{type(exc).__name__}: {exc} ({at.name}:{at.lineno})")
        row.seconds = time.monotonic() - started
        say(f"{'FAILED' if row.wrong else 'ok'}: {number} {says}: {row.counts}")
        for text in row.wrong[:MOST_SHOWN]:
            say(f"    {text[:600]}")
        if len(row.wrong) > MOST_SHOWN:
            say(f"    and {len(row.wrong) - MOST_SHOWN} more")

    @property
    def failed(self) -> int:
        return sum(bool(row.wrong) for row in self.rows)

    def print(self, ground: str) -> None:
        wide = max((len(row.says) for row in self.rows), default=0)
        print(f"\nChecked {ground}\n")
        for row in sorted(self.rows, key=lambda row: row.number):
            outcome = "FAILED" if row.wrong else "ok"
            head = (
                f"{row.number}  {row.says:<{wide}}  {outcome:<6} {row.seconds:>6.1f} s"
            )
            print(f"{head}  {row.counts}")


def closing_line(passed: int, failed: int) -> str:
    return f"{passed} passed, {failed} failed"
