"""
What aiohttp's parser rejects: no request ever comes of it, and no middleware sees it.

It gets an id and an event of its own, as a request does, but no span: there is nothing
that a span could be named for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web
from opentelemetry.context import Context, attach, set_value
from opentelemetry.semconv.attributes.client_attributes import CLIENT_ADDRESS
from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_METHOD
from opentelemetry.trace import INVALID_SPAN

from otel_aiohttp_logs.request.begin import RequestKey, served_request
from otel_aiohttp_logs.request.outcome import ending, outcome
from otel_aiohttp_logs.request.request_id import RESPONSE_HEADER
from otel_aiohttp_logs.scope.fields import add
from otel_aiohttp_logs.scope.request import REQUEST, RequestScope
from otel_aiohttp_logs.span.ids import new_request_id

if TYPE_CHECKING:
    from otel_aiohttp_logs.request.instruments import Instruments


class RejectedRequest:
    """One answer to bytes that are no request; ``serve.ServedRequest`` is its model."""

    def __init__(
        self, request: web.BaseRequest, error: object, instruments: Instruments
    ) -> None:
        self._request: web.BaseRequest | None = request
        self._response: web.StreamResponse | None = None
        self._error_type = type(error).__qualname__
        self._instruments = instruments
        self._started = time.perf_counter()
        self._address = request.remote
        self.scope = RequestScope(new_request_id(), INVALID_SPAN, instruments.tracer)
        # aiohttp answers each in a task of its own, so it needn't be detached.
        self.context = set_value(REQUEST, self.scope, Context())
        attach(self.context)
        if self._address is not None:
            add(self.scope, {CLIENT_ADDRESS: self._address})

    def responding(self, response: web.StreamResponse) -> None:
        self._response = response
        response.headers.setdefault(RESPONSE_HEADER, self.scope.request_id)

    def finished(self, task: asyncio.Task[object]) -> None:
        try:
            self._write_event(task)
        except Exception:  # noqa: BLE001 (counted and logged)
            self._instruments.tally.failed()
        self._request = self._response = None

    def _write_event(self, task: asyncio.Task[object]) -> None:
        events, request = self._instruments.events, self._request
        connected = request is not None and request.transport is not None
        end = ending(task)
        if events is None or (events.only_if_unsaid and not end.unsaid):
            return
        attributes: dict[str, str | int | float] = {HTTP_REQUEST_METHOD: "_OTHER"}
        if self._address is not None:
            attributes[CLIENT_ADDRESS] = self._address
        attributes["duration"] = round(time.perf_counter() - self._started, 6)
        result = outcome(
            self._response, None, connected=connected, cut_off=end.cut_off
        )._replace(error_type=self._error_type)
        level = events.level(result, attributes)
        if level is not None:
            events.write(level, result, attributes, {}, self.context)


Reject: TypeAlias = Callable[[web.BaseRequest, object], RejectedRequest | None]
REJECT: web.AppKey[Reject] = web.AppKey("otel_aiohttp_logs.reject", Callable)  # type: ignore[arg-type]  # no class stands for a function's type
"""Of an instrumented application: begins the telemetry of what is rejected."""

_KEY = RequestKey("otel_aiohttp_logs.rejected", RejectedRequest)


def reject(
    request: web.BaseRequest, error: object, instruments: Instruments
) -> RejectedRequest:
    rejected = RejectedRequest(request, error, instruments)
    request[_KEY] = rejected
    task = asyncio.current_task()
    if task is not None:
        task.add_done_callback(rejected.finished)
    return rejected


def context_of_request(request: web.BaseRequest) -> Context | None:
    """Return the context in which *request* was served, None if it wasn't by us."""
    rejected: RejectedRequest | None = request.get(_KEY)
    served = served_request(request) if rejected is None else rejected
    return None if served is None else served.context
