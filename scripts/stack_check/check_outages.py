"""
Check 4: parts are stopped, or killed, under load; and what that loses.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stack_check.ask import until
from stack_check.compare import compare_lines, nanoseconds
from stack_check.ground import COLLECTOR, JAEGER, LOGS
from stack_check.load import Latency, Request, latency
from stack_check.truth import expected_lines, expected_spans, line_of

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
SLOWER = 1.5
NOISE_MS = 15
"""What a machine with two cores and other work adds."""


@dataclass(frozen=True)
class Outage:
    """The requests that were sent around an outage, and when the part was away."""

    requests: Sequence[Request]
    began_ns: int
    ended_ns: int


async def under_load(
    ground: Ground, shop: Shop, part: str, end_it: Callable[[str], None], seconds: float
) -> Outage:
    """
    Send requests; meanwhile take *part* away for *seconds*.
    """
    over = asyncio.Event()
    load = asyncio.create_task(shop.steadily(PER_SECOND, over))
    try:
        await asyncio.sleep(1.5)
        began = time.time_ns()
        await asyncio.to_thread(end_it, part)
        await asyncio.sleep(max(0.0, seconds - (time.time_ns() - began) / SECOND))
        await asyncio.to_thread(ground.start, part)
        ended = time.time_ns()
        await asyncio.sleep(1.5)
    finally:
        over.set()
        requests = await load
    return Outage(requests, began, ended)


async def check_stops(report: Report, ground: Ground, stores: Stores, shop: Shop) -> None:
    """
    The Collector and VictoriaLogs stopped for 10 s, one after the other: nothing is lost.
    """
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(4, over.set)
    usual = latency(await shop.steadily(PER_SECOND, over))
    for part in (COLLECTOR, LOGS):
        with report.row(4, f"{part} stopped for {STOPPED_FOR} s: nothing lost") as row:
            shop.failures.clear()
            outage = await under_load(ground, shop, part, ground.stop, STOPPED_FOR)
            lines, spans = await _stored(stores, outage.requests, PATIENCE)
            found = compare_lines(outage.requests, lines)
            wanted = sum(expected_lines(r).total() for r in outage.requests)
            row.all_of(wanted - len(found.missing), wanted, "lines")
            row.none_of([*found.missing, *found.elsewhere])
            lost, total = lost_spans(outage.requests, spans)
            row.all_of(total - lost, total, "spans")
            twice, unexplained = doubled(outage, lines)
            row.count(f"{twice} lines and {doubled_spans(spans)} spans twice")
            row.none_of(unexplained)
            row.none_of(shop.failures)
        with report.row(4, f"{part} stopped: the shop does not notice") as row:
            meanwhile = latency(
                [
                    request
                    for request in outage.requests
                    if outage.began_ns < request.began_ns < outage.ended_ns
                ]
            )
            row.count(f"median/95 %/worst {meanwhile}, {usual} without")
            row.none_of(_slower(usual, meanwhile))


async def check_kills(report: Report, ground: Ground, stores: Stores, shop: Shop) -> None:
    """
    kill -9: what was on its way, or in memory, is lost; only that, and never more.
    """
    for part, seconds, says in (
        (COLLECTOR, 2, "loses what it took and had not passed on, 2 s at most"),
        (LOGS, 5, "loses the lines of the last 5 s at most (it flushes in 3)"),
    ):
        with report.row(4, f"kill -9 of {part}: {says}") as row:
            outage = await under_load(ground, shop, part, ground.kill, KILLED_FOR)
            lines, spans = await _stored(stores, outage.requests, 12)
            lost = lost_lines(outage.requests, lines)
            wanted = sum(expected_lines(r).total() for r in outage.requests)
            gone, total = lost_spans(outage.requests, spans)
            row.count(f"{wanted:,} lines, {lost_count(lost)} lost")
            row.count(f"{total:,} spans, {gone} lost")
            earliest = outage.began_ns - seconds * SECOND
            row.none_of(
                f"{request} had ended long before and lost {count} lines"
                for request, count in lost
                if not earliest < request.ended_ns + SECOND
                or request.began_ns > outage.began_ns
            )
            row.expect(wanted, "no line was sent")
            row.expect(part == COLLECTOR or not gone, "spans were lost")
            row.count(f"{doubled(outage, lines)[0]} twice")
    await _check_jaeger_killed(report, ground, stores, shop)


async def _check_jaeger_killed(
    report: Report, ground: Ground, stores: Stores, shop: Shop
) -> None:
    says = "keeps nothing from before (it is its memory), and gets all from then on"
    with report.row(4, f"kill -9 of {JAEGER}: {says}") as row:
        outage = await under_load(ground, shop, JAEGER, ground.kill, KILLED_FOR)
        lines, spans = await _stored(stores, outage.requests, 12)
        since = [r for r in outage.requests if r.began_ns > outage.began_ns]
        lost, total = lost_spans(since, spans)
        row.all_of(total - lost, total, "spans since")
        before, all_before = lost_spans(
            [r for r in outage.requests if r.ended_ns < outage.began_ns - SECOND], spans
        )
        row.count(f"{before} of {all_before} from before lost")
        row.expect(not lost_lines(outage.requests, lines), "lines were lost")


async def _stored(
    stores: Stores, requests: Sequence[Request], seconds: float
) -> tuple[list[Fields], dict[str, list[StoredSpan]]]:
    """
    Return what the stores have of *requests*, when it is all there or no more comes.
    """
    lines: list[Fields] = []
    spans: dict[str, list[StoredSpan]] = {}
    start_ns = min(request.began_ns for request in requests) - SECOND

    async def complete() -> bool:
        await stores.show_at_once()
        lines[:] = await stores.lines("*", start_ns)
        spans.update(await stores.traces(missing_traces(requests, spans)))
        return not (lost_lines(requests, lines) or missing_traces(requests, spans))

    await until(complete, seconds)
    # What comes twice comes late.
    await asyncio.sleep(1)
    await stores.show_at_once()
    return await stores.lines("*", start_ns), spans


def missing_traces(
    requests: Sequence[Request], spans: dict[str, list[StoredSpan]]
) -> list[str]:
    return [
        request.trace_id
        for request in requests
        if len(spans.get(request.trace_id, ())) < expected_spans(request).total()
    ]


def lost_lines(
    requests: Sequence[Request], lines: Sequence[Fields]
) -> list[tuple[Request, int]]:
    """
    Return the requests that miss lines, and how many each.
    """
    stored: dict[str, list[Fields]] = {}
    for line in lines:
        stored.setdefault(line.get("trace_id", ""), []).append(line)
    lost = []
    for request in requests:
        wanted = expected_lines(request)
        wanted.subtract(map(line_of, stored.get(request.trace_id, ())))
        count = sum(left for left in wanted.values() if left > 0)
        if count:
            lost.append((request, count))
    return lost


def lost_count(lost: Sequence[tuple[Request, int]]) -> int:
    return sum(count for _, count in lost)


def lost_spans(
    requests: Sequence[Request], spans: dict[str, list[StoredSpan]]
) -> tuple[int, int]:
    wanted = lost = 0
    for request in requests:
        expected = expected_spans(request).total()
        found = len({span.span_id for span in spans.get(request.trace_id, ())})
        wanted += expected
        lost += max(0, expected - found)
    return lost, wanted


def doubled(outage: Outage, lines: Sequence[Fields]) -> tuple[int, list[str]]:
    """
    Return how many lines came twice, and those that no broken connection explains.

    A batch whose answer was lost is sent again: OTLP wants it so.
    """
    ours = {request.trace_id for request in outage.requests}
    seen: set[tuple[str, ...]] = set()
    twice, unexplained = 0, []
    for line in lines:
        if line.get("trace_id") not in ours:
            continue
        key = (line["trace_id"], line["_time"], line["_msg"], line.get("span_id", ""))
        if key in seen:
            twice += 1
            at = nanoseconds(line["_time"])
            if not outage.began_ns - 3 * SECOND < at < outage.ended_ns + SECOND:
                unexplained.append(f"{line['_msg']!r} of {line['_time']} came twice")
        seen.add(key)
    return twice, unexplained


def doubled_spans(spans: dict[str, list[StoredSpan]]) -> int:
    return sum(len(own) - len({s.span_id for s in own}) for own in spans.values())


def _slower(usual: Latency, meanwhile: Latency) -> list[str]:
    pairs = (
        ("median", usual.median, meanwhile.median),
        ("95 %", usual.p95, meanwhile.p95),
    )
    return [
        f"{name}: {now:.0f} ms, {before:.0f} ms without"
        for name, before, now in pairs
        if now > before * SLOWER + NOISE_MS
    ]
