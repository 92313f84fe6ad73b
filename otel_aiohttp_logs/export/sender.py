"""Takes batches from a backlog and delivers them: one signal, in order."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from otel_aiohttp_logs._speed import native
from otel_aiohttp_logs.export.encoder import request_parts
from otel_aiohttp_logs.export.retry import backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from otel_aiohttp_logs.export.backlog import Backlog
    from otel_aiohttp_logs.export.destination import Destination
    from otel_aiohttp_logs.export.health import Health
    from otel_aiohttp_logs.export.messages import Groups
    from otel_aiohttp_logs.export.settings import ExportSettings
    from otel_aiohttp_logs.export.transport import Outcome

log = logging.getLogger("otel_aiohttp_logs.export")

SLICE = 512 if native else 64
"""
Records encoded at a stretch, which takes a third of a millisecond at most.

In between the application's threads get the interpreter. Otherwise they would wait
until the batch is done, or for 5 ms.
"""
LONGEST_WAIT = 5.0
LONGEST_QUIET_WAIT = 30.0
SHORTEST_DELAY = 0.01

R = TypeVar("R")


@dataclass(eq=False, repr=False)  # what it has none of takes no time to import
class Signal(Generic[R]):
    """All that makes traces different from logs."""

    name: str
    settings: ExportSettings
    destination: Destination
    backlog: Backlog[R]
    group: Callable[[Sequence[R], Groups], None]
    health: Health


class NobodyThereError(Exception):
    """There's no Collector, and no time to wait for one."""


class Sender(Generic[R]):
    """Delivers one signal until it's closed. It lives in the exporter's loop."""

    def __init__(
        self,
        signal: Signal[R],
        resource: bytes,
        post: Callable[[bytes], Awaitable[Outcome]],
    ) -> None:
        self._signal = signal
        self._backlog = signal.backlog
        self._resource = resource
        self._post_once = post
        self._woken = False
        self._nap_ends: asyncio.Future[bool] | None = None
        self._hurry = asyncio.Event()
        self._flushes: list[tuple[int, asyncio.Future[bool]]] = []
        self._closing = False
        self._has_failed = False

    def wake(self) -> None:
        """End the nap, or the next one as soon as it begins."""
        self._woken = True
        self._end_nap(delay_has_passed=False)

    def close(self) -> None:
        """Send what is there, without waiting for more, and end ``run``."""
        self._closing = True
        self.wake()
        self._hurry.set()

    async def flush(self) -> bool:
        """Return True as soon as nothing is left of what was put before."""
        target = self._backlog.position()
        if self._backlog.finished() >= target:
            return True
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._flushes.append((target, done))
        self.wake()
        self._hurry.set()
        return await done

    async def run(self) -> None:
        self._backlog.rearm()
        try:
            while not self._closing:
                await self._drain(everything=await self._nap())
            await self._drain(everything=True)
        except NobodyThereError:
            return
        finally:
            self._fail_flushes()

    async def _nap(self) -> bool:
        """Wait for enough or for the delay, and return True if it's the delay."""
        if self._woken:
            self._woken = False
            return False
        # Without wait_for(), which makes a task of what it waits for.
        loop = asyncio.get_running_loop()
        self._nap_ends = loop.create_future()
        delay = max(self._signal.settings.delay, SHORTEST_DELAY)
        timer = loop.call_later(delay, lambda: self._end_nap(delay_has_passed=True))
        try:
            return await self._nap_ends
        finally:
            timer.cancel()
            self._woken = False

    def _end_nap(self, *, delay_has_passed: bool) -> None:
        nap = self._nap_ends
        if nap is not None and not nap.done():
            nap.set_result(delay_has_passed)

    async def _drain(self, *, everything: bool) -> None:
        backlog = self._backlog
        target = backlog.position() if everything else 0
        while backlog.has_batch() or (
            len(backlog)
            and (self._flushes or self._closing or backlog.finished() < target)
        ):
            batch = backlog.take()
            try:
                await self._deliver(batch)
            except NobodyThereError:
                raise
            except Exception:  # noqa: BLE001 - said, counted, and the next one is sent
                backlog.dropped(len(batch), "failed")
                self._report_failure(len(batch))
            self._settle_flushes()
        self._settle_flushes()
        backlog.rearm()

    def _settle_flushes(self) -> None:
        finished = self._backlog.finished()
        for target, done in self._flushes:
            if finished >= target and not done.done():
                done.set_result(True)
        self._flushes = [flush for flush in self._flushes if not flush[1].done()]

    def _fail_flushes(self) -> None:
        for _, done in self._flushes:
            if not done.done():
                done.set_result(False)
        self._flushes.clear()

    def _report_failure(self, number: int) -> None:
        if not self._has_failed:
            self._has_failed = True
            log.warning(
                "A batch of %d %s could not be sent and is dropped. This is a bug of "
                "ours; further ones are counted in stats() only.",
                number,
                self._signal.name,
                exc_info=True,  # noqa: LOG014 - called by a handler
            )

    async def _deliver(self, batch: Sequence[R]) -> None:
        body = self._signal.destination.pack(await self._encode(batch))
        outcome = await self._post(body)
        if outcome.too_large and len(batch) > 1:
            middle = len(batch) // 2
            await self._deliver(batch[:middle])
            await self._deliver(batch[middle:])
            return
        refused = outcome.rejected if outcome.accepted else len(batch)
        refused = min(refused, len(batch))
        self._backlog.exported(len(batch) - refused)
        self._backlog.dropped(refused, "rejected")
        if outcome.accepted:
            self._signal.health.worked(self._signal.name)
        if refused:
            self._signal.health.refused(self._signal.name, refused, outcome.reason)

    async def _encode(self, batch: Sequence[R]) -> list[bytes]:
        groups: Groups = {}
        self._signal.group(batch if len(batch) <= SLICE else batch[:SLICE], groups)
        for start in range(SLICE, len(batch), SLICE):
            await asyncio.sleep(0)
            self._signal.group(batch[start : start + SLICE], groups)
        return request_parts(self._resource, groups.values())

    async def _post(self, body: bytes) -> Outcome:
        """Post until the Collector accepts or refuses for good."""
        quiet = self._signal.settings.is_default
        waits = backoff(LONGEST_QUIET_WAIT if quiet else LONGEST_WAIT)
        broken_before = False
        while True:
            outcome = await self._post_once(body)
            if not outcome.again:
                return outcome
            if outcome.stale and not broken_before:
                broken_before = True
            else:
                await self._wait_for_collector(outcome, next(waits))
            self._backlog.retried()

    async def _wait_for_collector(self, outcome: Outcome, wait: float) -> None:
        self._signal.health.unreachable(self._signal.name, outcome.reason)
        if outcome.unreachable and self._signal.settings.is_default:
            self._fail_flushes()
        if self._closing:
            if outcome.unreachable:
                raise NobodyThereError
            # Whoever is told to wait for longer than we have loses for certain.
            await asyncio.sleep(wait + min(outcome.retry_after, 1.0))
            return
        self._hurry.clear()
        try:
            await asyncio.wait_for(self._hurry.wait(), wait + outcome.retry_after)
        except asyncio.TimeoutError:
            return
