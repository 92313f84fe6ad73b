"""
The table that is to be reached, of one run or of several side by side, as Markdown.

    python bench/summary.py FILE...

Each file is what a run of the scripts kept with ``--keep FILE``.
"""

from __future__ import annotations

import argparse
import re

from parts.rows import kept

QUARTILES = re.compile(r" \(\S+ to \S+\)")


def one(rows):
    """Yield the table of one run: figure, quartiles, and what stands beside it."""
    yield "| work | to reach | measured | ours | bare | upstream | |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in rows:
        measured = f"{row.spread} {row.unit}".strip()
        beside = f"{row.ours} | {row.bare} | {row.upstream}"
        yield f"| {row.work} | {row.to_reach} | {measured} | {beside} | {row.verdict} |"


def several(runs):
    """Yield the table of several runs: the figure of each, and of ours in each."""
    first, *_ = runs
    count = len(runs)
    yield f"| work | to reach | the {count} runs | ours | bare | upstream | |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in first:
        same = [found for rows in runs for found in rows if found.work == row.work]
        cells = (
            row.work,
            row.to_reach,
            ", ".join(found.figure for found in same),
            _different(found.ours for found in same),
            _different(found.bare for found in same),
            _different(found.upstream for found in same),
            _verdict([found.reached for found in same], count),
        )
        yield f"| {' | '.join(cells)} |"


def _verdict(reached, count):
    if all(reached) and len(reached) == count:
        return "reached"
    return f"reached in {sum(reached)} of {count}" if any(reached) else "NOT REACHED"


def _different(texts):
    """Return the texts without their quartiles, each but once."""
    short = (QUARTILES.sub("", text) for text in texts if text)
    return "; ".join(dict.fromkeys(short))


def main():
    parser = argparse.ArgumentParser(description="The table that is to be reached.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    runs = [kept(file) for file in parser.parse_args().files]
    print(*(several(runs) if len(runs) > 1 else one(runs[0])), sep="\n")


if __name__ == "__main__":
    main()
