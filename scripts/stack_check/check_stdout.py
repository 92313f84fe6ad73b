"""
Check 5: lines that the Collector reads from standard output are the lines by OTLP.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from stack_check.ask import until
from stack_check.compare import compare_lines, nanoseconds
from stack_check.truth import expected_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stack_check.ask import Fields, Stores
    from stack_check.ground import Ground
    from stack_check.load import Request, Shop
    from stack_check.report import Report

BY_STDOUT = "log.file.name"
# Of the process or of the road, and not of the line.
NOT_OF_THE_LINE = (
    "_stream",
    "_stream_id",
    "_time",
    "process.",
    "scope.version",
    "service.instance.id",
    "telemetry.",
    BY_STDOUT,
)
COUNT = 60
PATIENCE = 20
MICROSECOND = 1000


async def check_both_roads(
    report: Report, ground: Ground, stores: Stores, shop: Shop
) -> None:
    """
    Each line comes by both roads at once, and is the same record both times.
    """
    await asyncio.to_thread(ground.lines_by_stdout, otlp_as_well=True)
    requests = await shop.at_once(COUNT)
    wanted = sum(expected_lines(request).total() for request in requests)
    says = "stdout overlay: the same ids, times, severities and fields as by OTLP"
    with report.row(5, says) as row:
        lines = await _lines(stores, requests, 2 * wanted)
        by_stdout = _times(line for line in lines if BY_STDOUT in line)
        by_otlp = _times(line for line in lines if BY_STDOUT not in line)
        same = sum(map(_pairs, by_stdout.values(), map(by_otlp.get, by_stdout)))
        row.all_of(same, wanted, "lines the same")
        for road, times, others in (
            ("stdout", by_stdout, by_otlp),
            ("OTLP", by_otlp, by_stdout),
        ):
            row.none_of(
                f"by {road} only: {' '.join(record)} {times[record]}"
                for record in times
                if _pairs(times[record], others.get(record)) != len(times[record])
            )
        fields = {name for line in lines for name in line if not _is_left_out(name)}
        row.count(f"{len(fields)} names of fields")


async def check_stdout_only(
    report: Report, ground: Ground, stores: Stores, shop: Shop
) -> None:
    """
    As the overlay is shipped: each line comes once, and none of them by OTLP.
    """
    await asyncio.to_thread(ground.lines_by_stdout, otlp_as_well=False)
    requests = await shop.at_once(COUNT)
    wanted = sum(expected_lines(request).total() for request in requests)
    with report.row(5, "stdout overlay: each line once, under its trace id") as row:
        lines = await _lines(stores, requests, wanted)
        found = compare_lines(requests, lines)
        row.all_of(wanted - len(found.missing), wanted, "lines")
        row.none_of([*found.missing, *found.extra, *found.elsewhere])
        by_otlp = sum(BY_STDOUT not in line for line in lines)
        row.count(f"{by_otlp} of them by OTLP")
        row.expect(not by_otlp, f"{by_otlp} came by OTLP")
        row.none_of(shop.failures)


async def _lines(
    stores: Stores, requests: Sequence[Request], wanted: int
) -> list[Fields]:
    start_ns = min(request.began_ns for request in requests) - 10**9
    ours = {request.trace_id for request in requests}
    lines: list[Fields] = []

    async def complete() -> bool:
        await stores.show_at_once()
        found = await stores.lines("*", start_ns)
        lines[:] = [line for line in found if line.get("trace_id") in ours]
        return len(lines) >= wanted

    await until(complete, PATIENCE)
    return lines


def _times(lines: Iterable[Fields]) -> dict[tuple[str, ...], list[int]]:
    """
    Return the times of each record, which is all that has to be equal.
    """
    times: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for line in lines:
        record = sorted(
            f"{name}={value}" for name, value in line.items() if not _is_left_out(name)
        )
        times[tuple(record)].append(nanoseconds(line["_time"]))
    return times


def _pairs(some: list[int], others: list[int] | None) -> int:
    """
    Count the times that are in both: the one of a JSON line is rounded to microseconds.
    """
    pairs = zip(sorted(some), sorted(others or ()), strict=False)
    return sum(abs(one - other) <= MICROSECOND for one, other in pairs)


def _is_left_out(name: str) -> bool:
    return name.startswith(NOT_OF_THE_LINE)
