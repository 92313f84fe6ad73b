"""
Serving one request: span and id begin, become the task's context, and end with it.

aiohttp serves each request in a task of its own. So the context is attached and never
detached: the access line and the error line are logged in that task after we have
returned, and the context ends with the task.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from opentelemetry.context import attach, get_current
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, StatusCode

from otel_aiohttp_logs.request.attributes import (
    request_attributes,
    route_of,
    span_name,
)
from otel_aiohttp_logs.request.outcome import answered, ending, outcome
from otel_aiohttp_logs.request.request_id import RESPONSE_HEADER
from otel_aiohttp_logs.request.websocket import Messages
from otel_aiohttp_logs.scope.request import REQUEST, RequestScope, request_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from otel_aiohttp_logs.request.event import Events
    from otel_aiohttp_logs.request.instruments import Instruments
    from otel_aiohttp_logs.request.outcome import Outcome


class ServedRequest:
    """One request from its first line to its last byte."""

    __slots__ = (
        "_attributes",
        "_cancelled",
        "_error",
        "_instruments",
        "_messages",
        "_metrics",
        "_request",
        "_responded",
        "_response",
        "_span",
        "_started",
        "_theirs",
        "context",
        "request_id",
        "scope",
    )

    def __init__(self, request: web.Request, instruments: Instruments) -> None:
        start_time = time.time_ns()
        headers = request.headers
        route = route_of(request)
        self.request_id = instruments.request_ids.id_for(headers)
        self._instruments = instruments
        self._request: web.Request | None = request
        self._response: web.StreamResponse | None = None
        self._error: BaseException | None = None
        self._cancelled = False
        self._messages: Messages | None = None
        self._started = time.perf_counter()
        self._responded: float | None = None
        self._attributes: dict[str, str | int | float] | None
        self._attributes = request_attributes(request, route)
        self._theirs = instruments.span_begun and instruments.span_begun()
        if self._theirs is None:
            context = instruments.extract(headers)
            self._span = self._started_span(
                span_name(request.method, route), context, start_time
            )
        else:  # it's measured and ended by whoever began it
            context = get_current()
            self._span = NonRecordingSpan(self._theirs.get_span_context())
            self._theirs.set_attribute("request_id", self.request_id)
        current = self._span if self._theirs is None else self._theirs
        self.scope = RequestScope(self.request_id, current, instruments.tracer)
        self.context = request_context(context, self.scope)
        attach(self.context)
        self._metrics = instruments.metrics if self._theirs is None else None
        if self._metrics is not None:
            self._metrics.began(self._known(), self.context)

    def _started_span(self, name: str, context: Context, start_time: int) -> Span:
        attributes = {**self._known(), "request_id": self.request_id}
        try:
            return self._instruments.start_span(name, context, attributes, start_time)
        except Exception:  # noqa: BLE001 (counted and logged)
            # By the application's own tracer: the request has its id all the same.
            self._instruments.tally.failed()
            return INVALID_SPAN

    def failed(self, error: BaseException) -> None:
        """Note what left the application: an exception that it did not handle."""
        self._error = error
        if isinstance(error, Exception):
            self._span.record_exception(error)
        elif isinstance(error, asyncio.CancelledError) and self._request is not None:
            # By somebody else than the client: afterwards aiohttp closes the connection
            # before or after we are told of the end, depending on Python's version.
            self._cancelled = self._request.transport is not None
        if self._messages is not None:
            self._messages.failed(error)

    def responding(self, response: web.StreamResponse) -> None:
        """Note the response whose headers are about to be sent, and add the id."""
        if self._request is not None and self._request.transport is not None:
            self._response = response  # else there's nobody to send it to
        self._responded = time.perf_counter()
        response.headers.setdefault(RESPONSE_HEADER, self.request_id)
        if self._theirs is not None and REQUEST not in get_current():
            # Its middleware is around ours, and put back the context from before.
            attach(self.context)

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

    def finished(self, task: asyncio.Task[object]) -> None:
        """End the span: the last byte is out, or the client is gone."""
        try:
            if self._messages is not None:
                self._messages.closed()
            self._end(task)
        except Exception:  # noqa: BLE001 (counted and logged)
            self._instruments.tally.failed()
        self.scope.ended = time.time()
        # The request holds us: without this it lives until the garbage collector runs.
        self._request = self._response = self._error = self._messages = None

    def _end(self, task: asyncio.Task[object]) -> None:
        request, span = self._request, self._span
        connected = request is not None and request.transport is not None
        connected = connected or self._cancelled
        end, error = ending(task), self._error
        if error is None and end.failure is not None:
            error = end.failure
            if isinstance(error, Exception):
                span.record_exception(error)
        result = outcome(
            self._response, error, connected=connected, cut_off=end.cut_off
        )
        if self._metrics is not None:
            seconds = time.perf_counter() - self._started
            self._metrics.ended(self._known(), seconds, self.context, result)
        if result.status is not None:
            span.set_attribute(HTTP_RESPONSE_STATUS_CODE, result.status)
        if result.error_type is not None:
            span.set_attribute(ERROR_TYPE, result.error_type)
        if result.description is not None:
            span.set_status(StatusCode.ERROR, result.description or None)
        if result.name == "disconnected":
            span.add_event("client_disconnected")
        events = self._instruments.events
        if events is not None and (end.unsaid or not events.only_if_unsaid):
            self._write_event(events, result)
        span.end()

    def _end_event(self, status: int) -> None:
        """Write the event of a request that ended well; of the compiled twin."""
        try:
            if self._instruments.events is not None:
                self._write_event(self._instruments.events, answered(status))
        except Exception:  # noqa: BLE001 (counted and logged)
            self._instruments.tally.failed()

    def _end_span(self) -> None:
        try:
            self._span.end()
        except Exception:  # noqa: BLE001 (counted and logged)
            self._instruments.tally.failed()

    def _known(self) -> dict[str, str | int | float]:
        """Return its attributes; the compiled twin may have left them out."""
        if self._attributes is None and self._request is not None:
            route = route_of(self._request)
            self._attributes = request_attributes(self._request, route)
        return self._attributes or {}

    def _write_event(self, events: Events, result: Outcome) -> None:
        attributes = self._known()
        level = events.level(result, attributes)
        if level is not None:
            self._measure(attributes)
            events.write(level, result, attributes, self.scope.bound, self.context)

    def _measure(self, attributes: dict[str, str | int | float]) -> None:
        response = self._response
        attributes["duration"] = round(time.perf_counter() - self._started, 6)
        if response is not None and self._responded is not None:
            first_byte = self._responded - self._started
            attributes["time_to_first_byte"] = round(first_byte, 6)
            attributes["http.response.size"] = response.body_length
