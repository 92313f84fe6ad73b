"""
Check 4: parts are stopped, or killed, under load; and what that loses.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stack_check.ask import until
from stack_check.compare import compare_lines
from stack_check.ground import COLLECTOR, JAEGER, LOGS
from stack_check.load import Latency, Request, latency
from stack_check.losses import (
    doubled,
    doubled_spans,
    lost_count,
    lost_lines,
    lost_spans,
    missing_traces,
)
from stack_check.truth import expected_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stack_check.ask import Fields, StoredSpan, Stores
    from stack_check.ground import Ground
    from stack_check.load import Shop
    from stack_check.report import Report

PER_SECOND = 20
SECOND = 10**9
PATIENCE = 30
STOPPED_FOR, KILLED_FOR = 10, 2
AROUND = 1
"""Seconds of load before and after."""
SLOWER = 2
NOISE_MS = {"median": 30, "95 %": 250}
"""What a machine with two cores and other work adds. A shop that waits for a Collector
adds seconds."""


@dataclass(frozen=True)
class Outage:
    """The requests that were sent around an outage, and when the part was away."""

    requests: Sequence[Request]
    began_ns: int
    gone_ns: int
    """Between these two the part went: Docker takes its time."""
    ended_ns: int

    @property
    def unsettled(self) -> range:
        """When lines were logged whose batch the outage may have cut off."""
        return range(self.began_ns - 3 * SECOND, self.ended_ns + SECOND)

    @property
    def latency(self) -> Latency:
        """How long the requests took that began while the part was away."""
        return latency(
            [r for r in self.requests if self.began_ns < r.began_ns < self.ended_ns]
        )


async def under_load(
    ground: Ground, shop: Shop, part: str, end_it: Callable[[str], None], seconds: float
) -> Outage:
    """
    Send requests; meanwhile take *part* away for *seconds*.
    """
    over = asyncio.Event()
    load = asyncio.create_task(shop.steadily(PER_SECOND, over))
    try:
        await asyncio.sleep(AROUND)
        began = time.time_ns()
        await asyncio.to_thread(end_it, part)
        gone = time.time_ns()
        await asyncio.sleep(max(0.0, seconds - (time.time_ns() - began) / SECOND))
        await asyncio.to_thread(ground.start, part)
        ended = time.time_ns()
        await asyncio.sleep(AROUND)
    finally:
        over.set()
        requests = await load
    return Outage(requests, began, gone, ended)


async def check_stops(
    report: Report, ground: Ground, stores: Stores, shop: Shop
) -> None:
    """
    The Collector, then VictoriaLogs, stopped for 10 s: nothing is lost.
    """
    usual = latency(await _for_seconds(shop, 4))
    for part in (COLLECTOR, LOGS):
        outages: list[Outage] = []
        with report.row(4, f"{part} stopped for {STOPPED_FOR} s: nothing lost") as row:
            before = len(shop.failures)
            outage = await under_load(ground, shop, part, ground.stop, STOPPED_FOR)
            outages.append(outage)
            lines, spans = await _stored(stores, outage.requests, PATIENCE)
            found = compare_lines(outage.requests, lines)
            wanted = sum(expected_lines(r).total() for r in outage.requests)
            row.all_of(wanted - len(found.missing), wanted, "lines")
            row.none_of([*found.missing, *found.elsewhere])
            lost, total = lost_spans(outage.requests, spans)
            row.all_of(total - lost, total, "spans")
            twice, unexplained = doubled(outage.requests, lines, outage.unsettled)
            row.count(f"{twice} lines and {doubled_spans(spans)} spans twice")
            row.none_of(unexplained)
            row.none_of(shop.failures[before:])
        with report.row(4, f"{part} stopped: the shop does not notice") as row:
            if not outages:
                row.wrong.append("not measured, as the row above says")
                continue
            slower = _slower(usual, outages[0].latency)
            if slower:  # the machine may have been busy with something else: once more
                again = await under_load(ground, shop, part, ground.stop, STOPPED_FOR)
                outages.append(again)
                slower = _slower(usual, again.latency)
            tried = " and ".join(str(outage.latency) for outage in outages)
            row.count(f"median/95 %/worst {tried}, {usual} without")
            row.none_of(slower)


async def _for_seconds(shop: Shop, seconds: float) -> list[Request]:
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    return await shop.steadily(PER_SECOND, over)


async def check_kills(
    report: Report, ground: Ground, stores: Stores, shop: Shop
) -> None:
    """
    kill -9: what was on its way, or in memory, is lost; only that, and never more.
    """
    earlier: Sequence[Request] = ()
    for part, seconds, says in (
        (COLLECTOR, 2, "loses what it took and had not passed on, 2 s at most"),
        (LOGS, 5, "loses the lines of the last 5 s at most (it flushes in 3)"),
    ):
        with report.row(4, f"kill -9 of {part}: {says}") as row:
            outage = await under_load(ground, shop, part, ground.kill, KILLED_FOR)
            lines, spans = await _stored(stores, outage.requests, PATIENCE, outage)
            lost = lost_lines(outage.requests, lines)
            wanted = sum(expected_lines(r).total() for r in outage.requests)
            gone, total = lost_spans(outage.requests, spans)
            row.count(f"{wanted:,} lines, {lost_count(lost)} lost")
            row.count(f"{total:,} spans, {gone} lost")
            earliest = outage.began_ns - seconds * SECOND
            row.none_of(
                f"{request} was not under way and lost {count} lines"
                for request, count in lost
                if not earliest < request.ended_ns + SECOND
                or request.began_ns > outage.gone_ns
            )
            row.expect(wanted, "no line was sent")
            row.expect(part == COLLECTOR or not gone, "spans were lost")
            row.count(f"{doubled(outage.requests, lines, outage.unsettled)[0]} twice")
            earlier = outage.requests
    await _check_jaeger_killed(report, ground, stores, shop, earlier)


async def _check_jaeger_killed(
    report: Report,
    ground: Ground,
    stores: Stores,
    shop: Shop,
    earlier: Sequence[Request],
) -> None:
    says = "keeps nothing from before (it is its memory), and gets all from then on"
    with report.row(4, f"kill -9 of {JAEGER}: {says}") as row:
        outage = await under_load(ground, shop, JAEGER, ground.kill, KILLED_FOR)
        lines, spans = await _stored(stores, outage.requests, PATIENCE, outage)
        since = [r for r in outage.requests if r.began_ns > outage.gone_ns]
        lost, total = lost_spans(since, spans)
        row.all_of(total - lost, total, "spans since")
        kept = await stores.traces(request.trace_id for request in earlier)
        before, all_before = lost_spans(earlier, kept)
        row.count(f"{before} of {all_before} from before lost")
        row.expect(before == all_before, "it kept some: say so in demo/README.md")
        row.expect(not lost_lines(outage.requests, lines), "lines were lost")


async def _stored(
    stores: Stores,
    requests: Sequence[Request],
    seconds: float,
    after: Outage | None = None,
) -> tuple[list[Fields], dict[str, list[StoredSpan]]]:
    """
    Return what the stores have of *requests* when it is all there.

    Only the requests *after* an outage are waited for, if one is given: what was before
    them has come by then, or never will.
    """
    awaited = [r for r in requests if not after or r.began_ns > after.gone_ns]
    lines: list[Fields] = []
    spans: dict[str, list[StoredSpan]] = {}
    start_ns = min(request.began_ns for request in requests) - SECOND

    async def complete() -> bool:
        await stores.show_at_once()
        lines[:] = await stores.lines("*", start_ns)
        spans.update(await stores.traces(missing_traces(requests, spans)))
        return not (lost_lines(awaited, lines) or missing_traces(awaited, spans))

    await until(complete, seconds)
    # What comes twice comes late.
    await asyncio.sleep(1)
    await stores.show_at_once()
    return await stores.lines("*", start_ns), spans


def _slower(usual: Latency, meanwhile: Latency) -> list[str]:
    pairs = (
        ("median", usual.median, meanwhile.median),
        ("95 %", usual.p95, meanwhile.p95),
    )
    return [
        f"{name}: {now:.0f} ms, {before:.0f} ms without"
        for name, before, now in pairs
        if now > before * SLOWER + NOISE_MS[name]
    ]
