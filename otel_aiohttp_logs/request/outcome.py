"""
How a request really ended: pure functions of what aiohttp's task left behind.

A client that goes away is no server error, and neither is a cancellation: the span's
status stays unset then, and ``error.type`` says what happened
(https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status).
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiohttp import web

from otel_aiohttp_logs.record.exceptions import error_text

DISCONNECTED = "client_disconnected"
CANCELLED = "cancelled"


class Outcome(NamedTuple):
    name: str
    """ok, client_error, server_error, timeout, disconnected or cancelled."""
    status: int | None = None
    """The status that was sent, None if none was."""
    error_type: str | None = None
    description: str | None = None
    """Of a server error; None if it was none."""


class Ending(NamedTuple):
    """What is known when aiohttp is done with a request."""

    response: web.StreamResponse | None
    """The one whose headers were sent."""
    error: BaseException | None
    """What left the application or the body, but for an ``HTTPException``."""
    connected: bool
    cut_off: bool
    """aiohttp could not send all of the response."""
    unsaid: bool
    """aiohttp writes no access line."""


def ending(
    task: asyncio.Task[object],
    response: web.StreamResponse | None,
    error: BaseException | None,
    *,
    connected: bool,
) -> Ending:
    failure = None if task.cancelled() else task.exception()
    unsaid = task.cancelled() or failure is not None
    cut_off = unsaid or _was_reset(task.result())
    # A body that fails does so in aiohttp's hands, where it is an unhandled exception.
    if error is None and not isinstance(failure, ConnectionError):
        error = failure
    return Ending(response, error, connected, cut_off, unsaid)


def outcome(end: Ending) -> Outcome:
    status = None if end.response is None else end.response.status
    error = end.error
    if isinstance(error, asyncio.CancelledError) or (
        error is not None and not end.connected and isinstance(error, ConnectionError)
    ):
        return _left(end, status, type(error).__qualname__)
    if error is not None:
        name = "timeout" if status == 504 else "server_error"
        return Outcome(name, status, type(error).__qualname__, error_text(error))
    if not end.connected and not _is_complete(end):
        return _left(end, status, DISCONNECTED)
    if status is None or status < 400:
        return Outcome("ok", status)
    if status < 500:
        return Outcome("client_error", status)
    return Outcome("server_error", status, str(status), "")


def _left(end: Ending, status: int | None, reason: str) -> Outcome:
    if end.connected:
        return Outcome(CANCELLED, status, reason)
    return Outcome("disconnected", status, reason)


def _is_complete(end: Ending) -> bool:
    if isinstance(end.response, web.WebSocketResponse):
        # RFC 6455, section 7.4.1: without a closing frame the code is 1006.
        return end.response.close_code not in {None, 1006}
    return end.response is not None and not end.cut_off


def _was_reset(result: object) -> bool:
    """Tell whether the connection was reset, by what aiohttp's task returns."""
    return isinstance(result, tuple) and len(result) == 2 and result[1] is True
