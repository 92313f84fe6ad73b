"""What came of a run in figures: how many lines of which kind are right."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import load_elsewhere
import load_outside
from load_judge import (
    RIGHT,
    VERDICTS,
    Truth,
    judge,
    wrong_answers,
    wrong_numbers_of_lines,
    wrong_spans,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from load_lines import Line


@dataclass
class Figures:
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    """How many lines of a kind got which verdict."""
    odd: Counter[str] = field(default_factory=Counter)
    """What is wrong with spans, and with how many lines there are."""
    examples: list[str] = field(default_factory=list)
    """Lines that aren't right."""

    def count(self, lines: Iterable[Line], truth: Truth) -> None:
        for line in lines:
            kind, verdict = judge(line, truth)
            self.kinds.setdefault(kind, Counter())[verdict] += 1
            if verdict != RIGHT:
                self.examples.append(f"{verdict} ({kind}): {line}")

    def add(self, other: Figures) -> None:
        for kind, counted in other.kinds.items():
            self.kinds.setdefault(kind, Counter()).update(counted)
        self.odd.update(other.odd)
        self.examples += other.examples

    def total(self, verdict: str) -> int:
        return sum(counted[verdict] for counted in self.kinds.values())

    def table(self, loop: str, requests: int) -> list[str]:
        """Return the figures as lines for people: a row a kind."""
        python = ".".join(map(str, sys.version_info[:2]))
        return [
            f"Python {python}, {loop}: {requests} requests",
            _row("kind", VERDICTS),
            *(
                _row(kind, [counted[verdict] for verdict in VERDICTS])
                for kind, counted in sorted(self.kinds.items())
            ),
            _row("all", [self.total(verdict) for verdict in VERDICTS]),
            f"  wrong spans, answers and numbers of lines: {sum(self.odd.values())}",
        ]


def _row(kind: str, cells: Iterable[object]) -> str:
    return f"  {kind:24}" + "".join(f"{cell!s:>9}" for cell in cells)


def figures_of(truth: Truth, shown: Sequence[Line], arrived: Sequence[Line]) -> Figures:
    """Judge all lines of a run, in both places where they went."""
    figures = Figures()
    figures.odd.update(wrong_answers(truth))
    figures.odd.update(wrong_spans(truth))
    figures.odd.update(_differences(shown, arrived))
    figures.odd.update(_not_said(shown))
    for place, lines in (("stdout", shown), ("Collector", arrived)):
        figures.count(lines, truth)
        wrong = wrong_numbers_of_lines(lines, truth)
        figures.odd.update(f"{place}: {what}" for what in wrong)
    return figures


def _differences(shown: Sequence[Line], arrived: Sequence[Line]) -> list[str]:
    out, sent = (Counter(line.whole for line in lines) for lines in (shown, arrived))
    return [
        *(f"only on stdout: {line[:2]}" for line in (out - sent).elements()),
        *(f"only in the Collector: {line[:2]}" for line in (sent - out).elements()),
    ]


def _not_said(shown: Sequence[Line]) -> list[str]:
    """Return what the program should have said outside of any request, and didn't."""
    said = {line.text.removeprefix("~none~ ") for line in shown}
    wanted = (
        *load_outside.EXPECTED,
        *(f"tick by {way}" for way in load_elsewhere.WAYS if way != "warned"),
    )
    return [f"never said: {what}" for what in wanted if what not in said]
