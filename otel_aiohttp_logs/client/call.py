"""
One call of a session: its attempts, one after the other.

aiohttp follows redirects within the call and tells us of each, so that each is an
attempt of its own. What it doesn't tell stays inside of one attempt: its own second
try on a kept-alive connection that the server had closed, and whatever a client
middleware repeats.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from otel_aiohttp_logs.client.attempt import Attempt
    from otel_aiohttp_logs.client.beside import TakenOver

# aiohttp gave up before it sent anything to where a redirect leads.
_NOT_FOLLOWED = (
    aiohttp.TooManyRedirects,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    aiohttp.ClientPayloadError,
)


class Call(SimpleNamespace):
    """What aiohttp makes for each call, and gives to each signal of ours."""

    added: dict[str, str] | None = None
    """The headers of ours on the current attempt; None if we take no part."""
    taken_over: TakenOver | None = None
    trace_request_ctx: object = None
    _loop: asyncio.AbstractEventLoop
    _redirects = 0
    _attempt: Attempt | None = None
    _before: Attempt | None = None

    @property
    def resend_count(self) -> int:
        """
        How often this has been sent before.

        aiohttp-retry, whose retries are calls, counts them from 1 in
        ``trace_request_ctx["current_attempt"]``; any application can.
        """
        context = self.trace_request_ctx
        number = context.get("current_attempt") if isinstance(context, dict) else None
        retries = number - 1 if isinstance(number, int) and number > 0 else 0
        return retries + self._redirects

    def begin(self, attempt: Attempt) -> None:
        self._loop = asyncio.get_running_loop()
        self._attempt = attempt

    def answered(self, response: ClientResponse) -> None:
        if self._attempt is not None:
            self._attempt.answered(response)

    def redirected(self) -> bool:
        """Count a redirect, and tell whether its attempt wants a span."""
        self._redirects += 1
        if self._before is not None:
            self._before.end()
        # Ended with the call: if there are too many redirects it's this one's error.
        self._before, self._attempt = self._attempt, None
        return self._before is not None

    def failed(self, error: BaseException) -> None:
        if self._before is not None and isinstance(error, _NOT_FOLLOWED):
            self._before, self._attempt = None, self._before
        if self._attempt is not None:
            self._attempt.failed(error)

    def end(self) -> None:
        """End what is not ended; there may be nothing."""
        if self.taken_over is not None:
            self.taken_over.end()
        attempts = (self._before, self._attempt)
        self._before = self._attempt = None
        for attempt in attempts:
            if attempt is not None:
                attempt.end()

    def __del__(self) -> None:
        # aiohttp told us no end: another TraceConfig's signal raised before it came to
        # ours. A destructor may run anywhere, even inside of a lock of the exporter's.
        lost = [a for a in (self._before, self._attempt) if a is not None]
        for attempt in lost:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._loop.call_soon_threadsafe(attempt.lost)
