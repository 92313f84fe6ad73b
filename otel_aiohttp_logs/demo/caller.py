"""Sending requests to the shop, each with a trace id that the caller knows."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientTimeout

from otel_aiohttp_logs.demo.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import ClientSession

PATIENCE = 15
LEAVING_AFTER = 0.8
MOST_AT_ONCE = 100
MOST_REMEMBERED = 2000
TURNS = (
    "order",
    "slow",
    "streamed",
    "order",
    "failing",
    "websocket",
    "order",
    "background",
    "missing",
    "order",
    "leaving",
    "streamed",
)


@dataclass(frozen=True)
class Sent:
    """A request, and what its caller knows of it."""

    scenario: Scenario
    number: int
    trace_id: str
    parent_id: str
    status: int | None
    """None when the caller left before the answer."""


async def send(session: ClientSession, scenario: Scenario, number: int) -> Sent:
    """
    Send one request to the shop, the base URL of *session*, and read its answer.

    Raises ``aiohttp.ClientError`` or ``asyncio.TimeoutError`` if it gets none.
    """
    trace_id, parent_id = secrets.token_hex(16), secrets.token_hex(8)
    headers = {"traceparent": f"00-{trace_id}-{parent_id}-01"}
    path = scenario.path(number)
    status: int | None
    if scenario.client == "websocket":
        status = await asyncio.wait_for(_talk(session, path, headers), PATIENCE)
    elif scenario.client == "leaving":
        status = await _leave(session, path, headers)
    else:
        timeout = ClientTimeout(total=PATIENCE)
        async with session.request(
            scenario.method, path, headers=headers, timeout=timeout
        ) as response:
            await response.read()
            status = response.status
    return Sent(scenario, number, trace_id, parent_id, status)


async def _leave(
    session: ClientSession, path: str, headers: dict[str, str]
) -> int | None:
    timeout = ClientTimeout(total=LEAVING_AFTER)
    try:
        async with session.get(path, headers=headers, timeout=timeout) as response:
            return response.status
    except asyncio.TimeoutError:  # not the built-in one on 3.10
        return None


async def _talk(session: ClientSession, path: str, headers: dict[str, str]) -> int:
    async with session.ws_connect(path, headers=headers) as socket:
        for item in ("tea", "figs", "mint"):
            await socket.send_str(item)
            await socket.receive_json()
            await asyncio.sleep(0.05)
    return 101


@dataclass
class Caller:
    """A bounded, steady load: a few requests at once, again and again."""

    session: ClientSession
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))
    sent: deque[Sent] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))
    count: int = 0
    unanswered: int = 0
    failures: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    """What went wrong since the last answer."""
    _running: set[asyncio.Task[Sent | None]] = field(default_factory=set)

    async def call(self, per_second: float) -> None:
        """
        Send *per_second* requests a second on average until cancelled.

        They start in groups, as requests that come together are what interleaves.
        """
        if not per_second:
            return
        together = max(3, round(per_second))
        for turn in itertools.count():
            if len(self._running) < MOST_AT_ONCE:
                self.start(SCENARIOS[TURNS[turn % len(TURNS)]])
            last = turn % together == together - 1
            await asyncio.sleep(together / per_second if last else 0.012)

    def start(self, scenario: Scenario) -> asyncio.Task[Sent | None]:
        """Start one request; its task returns None when it got no answer."""
        task = asyncio.create_task(self._one(scenario, next(self.numbers)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def finish(self) -> None:
        """Wait for the requests that are on their way."""
        await asyncio.gather(*self._running)

    async def _one(self, scenario: Scenario, number: int) -> Sent | None:
        self.count += 1
        try:
            sent = await send(self.session, scenario, number)
        except (ClientError, OSError, asyncio.TimeoutError) as exc:
            self.unanswered += 1
            self.failures.append(f"{scenario.name} {number}: {exc!r}")
            return None
        self.failures.clear()
        self.sent.append(sent)
        return sent
