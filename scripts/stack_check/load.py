"""
Requests to the shop, and how long each took.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import quantiles
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from otel_aiohttp_logs.demo.caller import TURNS, Sent, send
from otel_aiohttp_logs.demo.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

TIMED = "order"
"""The scenario whose latency is looked at: no waiting in it but for stock."""

LEAVING = "leaving"
LEAVING_AFTER = 1.1
"""Seconds; the search takes 2."""
AHEAD = 0.4
"""Seconds; the last line before the caller leaves comes after 0.1."""


@dataclass(frozen=True)
class Request:
    sent: Sent
    began_ns: int
    ended_ns: int

    @property
    def trace_id(self) -> str:
        return self.sent.trace_id

    @property
    def milliseconds(self) -> float:
        return (self.ended_ns - self.began_ns) / 1e6

    def __str__(self) -> str:
        return f"{self.sent.scenario.name} {self.sent.number} ({self.trace_id})"


@dataclass
class Shop:
    """
    The shop as its callers see it; *failures* are the requests that got no answer.
    """

    session: ClientSession
    failures: list[str] = field(default_factory=list)
    # No number comes twice, not even in a stack that is checked again.
    _numbers: Iterator[int] = field(
        default_factory=lambda: itertools.count(time.time_ns() // 10**6 % 10**10)
    )

    async def at_once(self, count: int) -> list[Request]:
        """
        Send *count* requests of all kinds, all of them under way at the same time.

        Those that will leave go first: what they have left behind is only known if the
        shop has time to begin with them.
        """
        names = list(itertools.islice(itertools.cycle(TURNS), count))
        first = [self._start(name) for name in names if name == LEAVING]
        await asyncio.sleep(AHEAD)
        rest = [self._start(name) for name in names if name != LEAVING]
        done = await asyncio.gather(*rest, *first)
        return [request for request in done if request]

    async def steadily(self, per_second: float, end: asyncio.Event) -> list[Request]:
        """
        Send *per_second* requests until *end*, whatever becomes of them.

        Of all kinds but one: what a caller that leaves a stalled shop has left behind,
        nobody can know.
        """
        tasks = []
        began = time.monotonic()
        known = [name for name in TURNS if name != LEAVING]
        for number, name in enumerate(itertools.cycle(known)):
            if end.is_set():
                break
            tasks.append(self._start(name))
            await asyncio.sleep(began + (number + 1) / per_second - time.monotonic())
        done = await asyncio.gather(*tasks)
        return [request for request in done if request]

    def _start(self, name: str) -> asyncio.Task[Request | None]:
        return asyncio.create_task(self._one(name))

    async def _one(self, name: str) -> Request | None:
        began = time.time_ns()
        scenario = SCENARIOS[name]
        try:
            if scenario.client == "leaving":
                sent = await self._leave(scenario)
            else:
                sent = await send(self.session, scenario, next(self._numbers))
        except (ClientError, OSError, asyncio.TimeoutError) as exc:
            self.failures.append(f"{name}: {exc!r}")
            return None
        if sent.status != scenario.status:
            self.failures.append(f"{name}: status {sent.status}, not {scenario.status}")
        return Request(sent, began, time.time_ns())

    async def _leave(self, scenario: Scenario) -> Sent:
        """
        Go away before the answer, but not before a busy shop has begun to search.
        """
        trace_id, parent_id = secrets.token_hex(16), secrets.token_hex(8)
        number = next(self._numbers)
        headers = {"traceparent": f"00-{trace_id}-{parent_id}-01"}
        timeout = ClientTimeout(total=LEAVING_AFTER)
        path = scenario.path(number)
        with suppress(asyncio.TimeoutError):
            async with self.session.get(path, headers=headers, timeout=timeout) as got:
                return Sent(scenario, number, trace_id, parent_id, got.status)
        return Sent(scenario, number, trace_id, parent_id, None)


@asynccontextmanager
async def open_shop(url: str) -> AsyncIterator[Shop]:
    async with ClientSession(url, connector=TCPConnector(limit=0)) as session:
        yield Shop(session)


@dataclass(frozen=True)
class Latency:
    median: float
    p95: float
    worst: float

    def __str__(self) -> str:
        return f"{self.median:.0f}/{self.p95:.0f}/{self.worst:.0f} ms"


def latency(requests: Sequence[Request]) -> Latency:
    times = [r.milliseconds for r in requests if r.sent.scenario.name == TIMED]
    cuts = quantiles(times, n=20)
    return Latency(cuts[9], cuts[18], max(times))


def kinds(requests: Sequence[Request]) -> str:
    counted = Counter(request.sent.scenario.name for request in requests)
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))
