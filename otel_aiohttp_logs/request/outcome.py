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


class Outcome(NamedTuple):
    name: str
    """ok, client_error, server_error, timeout, disconnected or cancelled."""
    status: int | None = None
    """The status that was sent, None if none was."""
    error_type: str | None = None
    description: str | None = None
    """Of a server error; None if it was none."""


class Ending(NamedTuple):
    """What aiohttp's task says of a request when it's done."""

    cut_off: bool = False
    """aiohttp could not send all of the response."""
    unsaid: bool = False
    """aiohttp writes no access line."""
    failure: BaseException | None = None
    """
    What left the body of the response, if anything did.

    It fails in aiohttp's hands, where that is an unhandled exception.
    """


_IN_ORDER = Ending()
_OK = {status: Outcome("ok", status) for status in range(100, 400)}


def ending(task: asyncio.Task[object]) -> Ending:
    if task.cancelled():
        return Ending(cut_off=True, unsaid=True)
    failure = task.exception()
    if failure is not None:
        gone = isinstance(failure, ConnectionError)
        return Ending(True, True, None if gone else failure)
    return Ending(cut_off=True) if _was_reset(task.result()) else _IN_ORDER


def outcome(
    response: web.StreamResponse | None,
    error: BaseException | None,
    *,
    connected: bool,
    cut_off: bool,
) -> Outcome:
    """
    Return how a request ended.

    *response* is the one whose headers were sent, *error* what left the application,
    but for an ``HTTPException``.
    """
    status = None if response is None else response.status
    if error is not None:
        return _failed(status, error, connected=connected)
    if not connected and not _is_complete(response, cut_off=cut_off):
        return Outcome("disconnected", status, DISCONNECTED)
    if status is None or status < 400:
        return answered(status)
    if status < 500:
        return Outcome("client_error", status)
    return Outcome("server_error", status, str(status), "")


def answered(status: int | None) -> Outcome:
    """Return how a request ended that nothing was wrong with."""
    return _OK.get(status or 0) or Outcome("ok", status)


def _failed(status: int | None, error: BaseException, *, connected: bool) -> Outcome:
    reason = type(error).__qualname__
    if isinstance(error, asyncio.CancelledError):
        return Outcome("cancelled" if connected else "disconnected", status, reason)
    if not connected and isinstance(error, ConnectionError):
        return Outcome("disconnected", status, reason)
    name = "timeout" if status == 504 else "server_error"
    return Outcome(name, status, reason, error_text(error))


def _is_complete(response: web.StreamResponse | None, *, cut_off: bool) -> bool:
    if isinstance(response, web.WebSocketResponse):
        # RFC 6455, section 7.4.1: without a closing frame the code is 1006.
        return response.close_code not in {None, 1006}
    return response is not None and not cut_off


def _was_reset(result: object) -> bool:
    """Tell whether the connection was reset, by what aiohttp's task returns."""
    return isinstance(result, tuple) and len(result) == 2 and result[1] is True
