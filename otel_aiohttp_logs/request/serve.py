"""
Serving one request: span and id begin, become the task's context, and end with it.

aiohttp serves each request in a task of its own. So the context is attached and never
detached: the access line and the error line are logged in that task after we have
returned, and the context ends with the task.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web
from opentelemetry.context import attach, set_value
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

from otel_aiohttp_logs.record.exceptions import error_text
from otel_aiohttp_logs.request.attributes import (
    request_attributes,
    route_of,
    span_name,
)
from otel_aiohttp_logs.request.request_id import RESPONSE_HEADER, id_for
from otel_aiohttp_logs.request.websocket import Messages
from otel_aiohttp_logs.scope.request import REQUEST, RequestScope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from multidict import CIMultiDictProxy
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger("otel_aiohttp_logs")
_kept_one = threading.Event()


@dataclass(frozen=True)
class Instruments:
    """What serving needs of the rest: settled once, before the first request."""

    tracer: Tracer
    extract: Callable[[CIMultiDictProxy[str]], Context]
    request_id_header: str | None
    websocket_spans: bool


class ServedRequest:
    """One request from its first line to its last byte."""

    __slots__ = (
        "_error",
        "_messages",
        "_request",
        "_response",
        "_scope",
        "_span",
        "request_id",
    )

    def __init__(self, request: web.Request, instruments: Instruments) -> None:
        start_time = time.time_ns()
        headers = request.headers
        route = route_of(request)
        context = instruments.extract(headers)
        self.request_id = id_for(headers, instruments.request_id_header)
        self._request: web.Request | None = request
        self._response: web.StreamResponse | None = None
        self._error: BaseException | None = None
        self._messages: Messages | None = None
        attributes = request_attributes(request, route)
        attributes["request_id"] = self.request_id
        self._span: Span = instruments.tracer.start_span(
            span_name(request.method, route),
            context,
            SpanKind.SERVER,
            attributes,
            start_time=start_time,
        )
        scope = self._scope = RequestScope(self.request_id, self._span)
        context = set_value(REQUEST, scope, context)
        attach(set_span_in_context(self._span, context))

    def failed(self, error: Exception) -> None:
        """Note an exception that the application did not handle."""
        self._error = error
        self._span.record_exception(error)
        if self._messages is not None:
            self._messages.failed(error)

    def responding(self, response: web.StreamResponse) -> None:
        """Note the response whose headers are about to be sent, and add the id."""
        self._response = response
        response.headers.setdefault(RESPONSE_HEADER, self.request_id)

    def number_messages(
        self,
        response: web.WebSocketResponse,
        instruments: Instruments,
        failing: Callable[[], None],
    ) -> None:
        """Tell the messages apart that the application receives from now on."""
        if self._messages is None:
            tracer = instruments.tracer if instruments.websocket_spans else None
            self._messages = Messages(response, tracer, failing)

    def finished(self, _: asyncio.Task[object]) -> None:
        """End the span: the last byte is out, or the client is gone."""
        try:
            if self._messages is not None:
                self._messages.closed()
            self._end()
        except Exception:  # noqa: BLE001 (said in the log)
            _log.exception("span_not_ended")
        self._scope.ended = time.time()
        # The request holds us: without this it lives until the garbage collector runs.
        self._request = self._response = self._error = self._messages = None

    def _end(self) -> None:
        span, error, response = self._span, self._error, self._response
        if response is not None:
            span.set_attribute(HTTP_RESPONSE_STATUS_CODE, response.status)
        if error is not None:
            span.set_attribute(ERROR_TYPE, type(error).__qualname__)
            span.set_status(StatusCode.ERROR, error_text(error))
        elif response is not None and response.status >= 500:
            span.set_attribute(ERROR_TYPE, str(response.status))
            span.set_status(StatusCode.ERROR)
        gone = self._request is not None and self._request.transport is None
        if gone and not _closed_in_order(response):
            # Not an error of the server's: no status, but the reader should know.
            span.add_event("client_disconnected")
        span.end()


# Before aiohttp 3.14 there is no RequestKey, and no warning of other keys.
_RequestKey = getattr(web, "RequestKey", lambda name, _: name)
_KEY = _RequestKey("otel_aiohttp_logs.served", ServedRequest)


def begin(request: web.Request, instruments: Instruments) -> ServedRequest | None:
    """Return the request's telemetry, begun now; None if it is on its way already."""
    # To ask an empty request raises inside of it, which takes longer.
    if len(request) and _KEY in request:
        return None
    served = ServedRequest(request, instruments)
    request[_KEY] = served
    _keep(request, served.request_id)
    task = asyncio.current_task()
    if task is not None:
        task.add_done_callback(served.finished)
    return served


def _closed_in_order(response: web.StreamResponse | None) -> bool:
    """Tell whether a WebSocket said goodbye (RFC 6455, section 7.4.1: 1006 is none)."""
    return isinstance(response, web.WebSocketResponse) and response.close_code not in {
        None,
        1006,
    }


def _keep(request: web.Request, request_id: str) -> None:
    if _kept_one.is_set():
        request["request_id"] = request_id
        return
    # Once in a process aiohttp warns of a key that is no RequestKey; this one is a
    # string by design, and the warning may be an error.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        request["request_id"] = request_id
    _kept_one.set()


def served_request(request: web.Request) -> ServedRequest | None:
    served: ServedRequest | None = request.get(_KEY)
    return served
