"""The thread that everything which can wait happens in."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import context

from otel_aiohttp_logs.export.direct import Direct
from otel_aiohttp_logs.export.sender import Sender
from otel_aiohttp_logs.export.transport import open_session
from otel_aiohttp_logs.export.transport import post as post_by_client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    import aiohttp

    from otel_aiohttp_logs.export.sender import Signal
    from otel_aiohttp_logs.export.transport import Outcome


class Worker:
    """
    One daemon thread with a loop, a session, and a sender for each signal.

    It ends in ``close``; a stuck one is left behind, and a daemon doesn't keep the
    interpreter from exiting.
    """

    def __init__(self, signals: Sequence[Signal[Any]], resource: bytes) -> None:
        self._signals = signals
        self._resource = resource
        self._senders: list[Sender[Any]] = []
        # Not new_event_loop(): the application's policy may make loops of its own.
        self._loop: asyncio.AbstractEventLoop = asyncio.SelectorEventLoop()
        self._ready = asyncio.Event()
        self._deadline: asyncio.Future[float] = self._loop.create_future()
        for number, signal in enumerate(signals):
            signal.backlog.wake = partial(self._call, self._wake, number)
        self._thread = threading.Thread(
            target=contextvars.Context().run,
            args=(self._serve,),
            name="otel_aiohttp_logs.export",
            daemon=True,
        )
        self._thread.start()

    @property
    def thread_id(self) -> int | None:
        return self._thread.ident

    def flush(self, timeout: float) -> bool:
        """Return True if all that was put before has left within *timeout* seconds."""
        if threading.current_thread() is self._thread or self._loop.is_closed():
            return False
        pending = asyncio.run_coroutine_threadsafe(self._flush(), self._loop)
        try:
            return pending.result(timeout)
        except (FutureTimeoutError, asyncio.CancelledError):
            pending.cancel()
            return False

    def close(self, timeout: float) -> None:
        """Send what can be sent in less than *timeout* seconds, and end the thread."""
        until = time.monotonic() + timeout
        self._call(self._close_until, until - min(0.5, timeout / 10))
        if threading.current_thread() is not self._thread:
            self._thread.join(max(0.0, until - time.monotonic()))

    def _call(self, callback: Any, *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # closed: nobody is left to be woken
            return

    def _wake(self, number: int) -> None:
        # One that begins looks by itself for what is there.
        if number < len(self._senders):
            self._senders[number].wake()

    async def _flush(self) -> bool:
        await self._ready.wait()
        flushes = [sender.flush() for sender in self._senders]
        return all(await asyncio.gather(*flushes))

    def _close_until(self, deadline: float) -> None:
        self._deadline.set_result(deadline)
        for sender in self._senders:
            sender.close()

    def _serve(self) -> None:
        # What we do must not make spans and records that we then have to send.
        for key in (
            context._SUPPRESS_INSTRUMENTATION_KEY,  # noqa: SLF001 - there's no public one
            context._SUPPRESS_HTTP_INSTRUMENTATION_KEY,  # noqa: SLF001 - as above
        ):
            context.attach(context.set_value(key, value=True))
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()

    async def _main(self) -> None:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(open_session())
            for signal in self._signals:
                self._senders.append(
                    Sender(signal, self._resource, _way(signal, session, stack))
                )
            self._ready.set()
            tasks = [asyncio.ensure_future(sender.run()) for sender in self._senders]
            deadline = await self._deadline
            for sender in self._senders:
                sender.close()
            rest = max(0.0, deadline - time.monotonic())
            _, pending = await asyncio.wait(tasks, timeout=rest)
            for task in pending:
                task.cancel()
            if pending:
                # Bounded: before 3.12 wait_for may take a cancellation for its own.
                await asyncio.wait(pending, timeout=0.2)


def _way(
    signal: Signal[Any], session: aiohttp.ClientSession, stack: AsyncExitStack
) -> Callable[[bytes], Awaitable[Outcome]]:
    """Return the function that posts; what it opens is closed with *stack*."""
    address = signal.destination.address
    if address is None:
        return partial(post_by_client, session, signal.destination)
    direct = Direct(address, signal.settings.timeout)
    stack.push_async_callback(direct.close)
    return direct.post
