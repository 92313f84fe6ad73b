"""
Before the checks of the issue: what a person meets first.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from otel_aiohttp_logs.demo.caller import Sent
from otel_aiohttp_logs.demo.scenarios import SCENARIOS
from stack_check.ask import until
from stack_check.compare import compare_lines, shape
from stack_check.load import Request
from stack_check.truth import expected_lines, expected_spans

if TYPE_CHECKING:
    from stack_check.ask import Fields, Stores
    from stack_check.ground import Ground
    from stack_check.report import Report

PATIENCE = 15
READY_WITHIN = 60
URLS = 3


async def check_start(
    report: Report, ground: Ground, stores: Stores, *, grafana: bool
) -> None:
    """
    The stack was up in time, and says which URLs to open; each of them answers.
    """
    with report.row(
        0, "up: healthy in time, and the URLs that it prints answer"
    ) as row:
        row.count(f"{ground.up_seconds:.1f} s")
        late = f"not up within {READY_WITHIN} s"
        row.expect(ground.up_seconds <= READY_WITHIN, late)
        said = ground.start_here()
        urls = re.findall(r"http://localhost:\d+\S*", said)
        row.expect(len(urls) == URLS, f"it says {said!r}")
        row.expect("first" in said, f"it does not say what to click first: {said!r}")
        grafana_port = ground.model["services"]["grafana"]["ports"][0]["published"]
        answered = 0
        for url in urls:
            if str(urlsplit(url).port) == grafana_port and not grafana:
                row.count("Grafana's not asked")
                continue
            async with stores.session.get(url) as answer:
                row.expect(answer.ok, f"{url}: {answer.status}")
                answered += answer.ok
        row.count(f"{answered} URLs answer")


async def check_by_url(report: Report, stores: Stores) -> None:
    """
    Each scenario can be started by its URL, which tells where to look for it.
    """
    with report.row(1, "each scenario by its URL: its trace and its lines") as row:
        requests = [await _start(stores, name) for name in SCENARIOS]
        lines: list[Fields] = []
        missing: list[str] = []
        start_ns = min(request.began_ns for request in requests) - 10**9

        async def there() -> bool:
            await stores.show_at_once()
            lines[:] = await stores.lines("*", start_ns)
            spans = await stores.traces(request.trace_id for request in requests)
            missing[:] = [
                f"{request}: its spans are {[s.name for s in spans[request.trace_id]]}"
                for request in requests
                if set(shape(request, spans[request.trace_id]))
                != set(expected_spans(request))
            ]
            return not (missing or compare_lines(requests, lines).missing)

        await until(there, PATIENCE)
        found = compare_lines(requests, lines)
        wanted = sum(expected_lines(request).total() for request in requests)
        row.all_of(len(requests) - len(missing), len(SCENARIOS), "scenarios")
        row.all_of(wanted - len(found.missing), wanted, "lines")
        row.none_of([*missing, *found.missing, *found.extra, *found.elsewhere])


async def _start(stores: Stores, name: str) -> Request:
    began = time.time_ns()
    async with stores.session.get(f"{stores.at.traffic}/run/{name}") as answer:
        answer.raise_for_status()
        told = json.loads(await answer.text())["requests"][0]
    sent = Sent(
        scenario=SCENARIOS[told["scenario"]],
        number=told["number"],
        trace_id=told["trace_id"],
        parent_id=told["parent_id"],
        status=told["status"],
    )
    return Request(sent, began, time.time_ns())
