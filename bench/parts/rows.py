"""
A row of the table that is to be reached: what was measured, and how sure it is.

Rows are printed, and kept in a file as JSON, one a line: those of several runs are put
side by side (``bench/summary.py``).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of all, and the quartiles around it."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        values = list(values)
        if len(values) == 1:
            values *= 2
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)

    def __str__(self):
        if self.low == self.high:
            return number(self.middle)
        return f"{number(self.middle)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True)
class Row:
    """*values* are those of the pairs or rounds; the median of them is what counts."""

    work: str
    limit: float
    unit: str
    values: list[float]
    least: bool = False
    ours: str = ""
    """What stands beside it: figures with their units, of ours, bare, upstream."""
    bare: str = ""
    upstream: str = ""

    @property
    def spread(self):
        return Spread.of(self.values)

    @property
    def figure(self):
        return f"{number(self.spread.middle)} {self.unit}".strip()

    @property
    def reached(self):
        got = self.spread.middle
        return got >= self.limit if self.least else got <= self.limit

    @property
    def to_reach(self):
        bound = "at least" if self.least else "at most"
        return f"{bound} {number(self.limit)} {self.unit}".strip()

    @property
    def verdict(self):
        return "reached" if self.reached else "NOT REACHED"

    def beside(self):
        """Return what stands beside it as one text."""
        named = (("ours", self.ours), ("bare", self.bare), ("upstream", self.upstream))
        return "; ".join(f"{name} {text}" for name, text in named if text)

    def __str__(self):
        shown = f"{self.spread} {self.unit}".strip()
        line = f"{self.work:<54} {shown:<32} {self.to_reach:<20} {self.verdict:<12} "
        return (line + self.beside()).rstrip()


def number(value):
    """Return it with as many digits as are of use."""
    if abs(value) >= 1_000_000:
        return f"{value / 1e6:.2f} million"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:.{digits}f}"


def report(rows, file=None):
    """Print the *rows*, and add them to *file* if there is one."""
    rows = list(rows)
    print(*rows, sep="\n", flush=True)
    if file:
        with Path(file).open("a", encoding="utf-8") as kept:
            kept.writelines(json.dumps(asdict(row)) + "\n" for row in rows)


def kept(file):
    """Return the rows that are in *file*."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return [Row(**json.loads(line)) for line in lines]


def argument(parser):
    """Add the option of the scripts that print rows."""
    parser.add_argument("--keep", metavar="FILE", help="add the rows to it, as JSON")
