"""
The metrics at the Collector: as many requests as there are events, on each route.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import aiohttp

from stack_check.ask import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stack_check.ask import Fields, Stores
    from stack_check.ground import Ground
    from stack_check.load import Request
    from stack_check.report import Report

PATIENCE = 20
HOUR_NS = 3600 * 10**9
ACCESS = 'scope.name:="aiohttp.access"'
HEALTH = "/healthz"
"""Asked all the time, and quiet: it is measured, and there are no events of it."""
SERVED = "http_server_request_duration_seconds_count"
CALLED = "http_client_request_duration_seconds_count"
ACTIVE = "http_server_active_requests"
SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    name: str
    service: str
    labels: dict[str, str]
    value: int


class Measured(NamedTuple):
    """What the services say that they have counted since their start."""

    served: Counter[tuple[str, str, str]]
    """By service, method and route."""
    called: Counter[str]
    active: dict[str, int]


async def check_metrics(
    report: Report, ground: Ground, stores: Stores, requests: Sequence[Request]
) -> None:
    """
    Each request is counted by its service's histogram once, under its route.
    """
    measured = Measured(Counter(), Counter(), {})
    events: Counter[tuple[str, str, str]] = Counter()

    async def equal() -> bool:
        nonlocal measured, events
        measured = measured_in(await _scraped(stores))
        await stores.show_at_once()
        now_ns = max(request.ended_ns for request in requests)
        events = counted(await stores.lines(ACCESS, now_ns - HOUR_NS))
        return not wrong_counts(measured, events)

    with report.row(1, "metrics: each route's count is that of its events") as row:
        # Else there were always some requests that only one of the two knows of.
        await asyncio.to_thread(ground.stop, "traffic")
        try:
            await until(equal, PATIENCE)
        finally:
            await asyncio.to_thread(ground.start, "traffic")
            # Its port is open before it listens: the engine holds it.
            await until(lambda: _answers(stores, stores.at.traffic), PATIENCE)
        good = sum((measured.served & events).values())
        row.all_of(good, events.total(), "requests counted")
        row.count(f"{len(measured.served)} routes")
        row.count(f"{measured.called.total()} calls")
        row.expect(events.total() >= len(requests), "there are too few events")
        row.none_of(wrong_counts(measured, events))


def wrong_counts(
    measured: Measured, events: Counter[tuple[str, str, str]]
) -> list[str]:
    def differences() -> Iterator[str]:
        for route in sorted({*measured.served, *events}):
            service, method, path = route
            if measured.served[route] != events[route]:
                yield (
                    f"{service} {method} {path}: {measured.served[route]} by its "
                    f"metric, {events[route]} by its events"
                )
        asked = sum(n for route, n in events.items() if route[0] == "stock")
        if measured.called != Counter(shop=asked):
            yield f"calls: {dict(measured.called)}, and stock was asked {asked} times"
        if measured.active != {"shop": 0, "stock": 0}:
            yield f"in progress: {measured.active}"

    return list(differences())


def counted(lines: Sequence[Fields]) -> Counter[tuple[str, str, str]]:
    names = ("service.name", "http.request.method", "http.route")
    found: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        service, method, route = (line.get(name, "?") for name in names)
        found[service, method, route] += 1
    return found


def measured_in(text: str) -> Measured:
    """
    Return what stands in the *text* of a Prometheus endpoint.
    """
    served: Counter[tuple[str, str, str]] = Counter()
    called: Counter[str] = Counter()
    active: Counter[str] = Counter()
    take: dict[str, Callable[[Sample], None]] = {
        CALLED: lambda it: called.update({it.service: it.value}),
        ACTIVE: lambda it: active.update({it.service: it.value}),
        SERVED: lambda it: served.update({_route(it): it.value}),
    }
    for sample in _samples(text):
        if sample.name in take and sample.labels.get("http_route") != HEALTH:
            take[sample.name](sample)
    return Measured(served, called, dict(active))


def _route(sample: Sample) -> tuple[str, str, str]:
    method, route = (
        sample.labels.get(name, "?") for name in ("http_request_method", "http_route")
    )
    return sample.service, method, route


def _samples(text: str) -> Iterator[Sample]:
    for line in text.splitlines():
        found = SAMPLE.match(line)
        if found:
            labels = dict(LABEL.findall(found[2]))
            # The namespace stands before the name: demo/shop.
            service = labels.get("job", "?").rpartition("/")[2]
            yield Sample(found[1], service, labels, round(float(found[3])))


async def _answers(stores: Stores, url: str) -> bool:
    try:
        async with stores.session.get(f"{url}{HEALTH}") as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False


async def _scraped(stores: Stores) -> str:
    async with stores.session.get(f"{stores.at.metrics}/metrics") as answer:
        answer.raise_for_status()
        return await answer.text()
