"""
The checks, in an order in which none disturbs the next.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stack_check.ask import open_stores
from stack_check.check_burst import check_lines, check_traces
from stack_check.check_grafana import check_grafana, check_grafana_itself
from stack_check.check_hostile import check_hostile
from stack_check.check_metrics import check_metrics
from stack_check.check_outages import check_kills, check_stops
from stack_check.check_page import check_page
from stack_check.check_start import check_by_url, check_start
from stack_check.check_stdout import check_both_roads, check_stdout_only
from stack_check.load import open_shop

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from stack_check.ask import Stores
    from stack_check.ground import Ground
    from stack_check.load import Request
    from stack_check.report import Report

AT_ONCE = 300
WARM_UP = 24
ALL = range(1, 8)


async def run_checks(
    report: Report, ground: Ground, only: Collection[int] = ALL, *, grafana: bool
) -> None:
    at = ground.addresses
    async with open_stores(at) as stores, open_shop(at.shop) as shop:
        await check_start(report, ground, stores, grafana=grafana)
        await shop.at_once(WARM_UP)
        requests = await shop.at_once(AT_ONCE)
        if {1, 2, 3, 6} & {*only}:
            await _burst(report, ground, stores, requests)
        if grafana:
            await check_grafana_itself(report, ground, stores)
        if 1 in only:
            await check_by_url(report, stores)
        if 6 in only:
            await check_page(report, ground, requests)
        if 7 in only:
            await check_hostile(report, ground, stores)
        if 4 in only:
            await check_stops(report, ground, stores, shop)
            await check_kills(report, ground, stores, shop)
        if 5 in only:
            await check_both_roads(report, ground, stores, shop)
            await check_stdout_only(report, ground, stores, shop)
        with report.row(7, "at the end: each part up, each request answered") as row:
            died = await asyncio.to_thread(ground.died)
            row.count(f"{len(died)} parts down, {len(shop.failures)} requests amiss")
            row.none_of([*died, *shop.failures])


async def _burst(
    report: Report, ground: Ground, stores: Stores, requests: Sequence[Request]
) -> None:
    spans = await check_traces(report, stores, requests)
    await check_lines(report, stores, requests, spans)
    await check_metrics(report, ground, stores, requests)
    # A trace of both services, with lines of all severities and an exception.
    one = next(r for r in requests if r.sent.scenario.name == "failing")
    await check_grafana(report, ground, one, spans[one.trace_id])
