"""
Each message of a WebSocket can be told apart: by its number, and by a span if wanted.

A WebSocket is one request for as long as it lives. So what is logged while a message
is handled, in the task that received it and whatever that starts, has the field
``websocket.message``: 1, 2, 3, … A message is handled from when ``receive`` returns it
to the next call of ``receive``, or to the end of the handler.

A message that is received in one task and handled in another has no number there:
``asyncio.wait_for(ws.receive(), 5)`` before Python 3.12, where
``ws.receive(timeout=5)`` has one.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from aiohttp import WSMsgType
from opentelemetry.context import attach, create_key, get_current, set_value
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import StatusCode, get_current_span, set_span_in_context

from otel_aiohttp_logs.record.exceptions import error_text
from otel_aiohttp_logs.scope.fields import enter, leave
from otel_aiohttp_logs.scope.request import request_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from aiohttp import web
    from opentelemetry.trace import Span, Tracer

NUMBER = "websocket.message"
SPAN_NAME = "websocket message"
_NONE = frozenset(
    {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}
)
# Those that end the handling of a message when they are called. The last is called by
# aiohttp when the handler has returned.
_NEXT = ("receive", "receive_str", "receive_bytes", "receive_json", "write_eof")

# In the context of a task that handles a message: its span, and the one around it.
_HANDLED = create_key("otel_aiohttp_logs.websocket.handled")

P = ParamSpec("P")
T = TypeVar("T")


class Messages:
    """
    The messages of one WebSocket: which one is being handled.

    Its methods are put before those of *response*, on that object only. Each message
    has a span if there is a *tracer*: INTERNAL, because CONSUMER is for brokers
    (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/).
    *failing* is told of an exception in here, which the application never sees.
    """

    def __init__(
        self,
        response: web.WebSocketResponse,
        tracer: Tracer | None,
        failing: Callable[[], None],
    ) -> None:
        self._response = response
        self._tracer = tracer
        self._failing = failing
        self._number = 0
        self._span: Span | None = None
        # Not self: the log records of the message would hold the WebSocket.
        self._block = object()
        for name in _NEXT:
            setattr(response, name, self._ending_one(getattr(response, name)))
        # The others call it, too.
        setattr(response, _NEXT[0], self._beginning_one(response.receive))

    def failed(self, error: BaseException) -> None:
        """End the message's span with what the handler raised."""
        self._guarded(lambda: self._end_span(error))

    def closed(self) -> None:
        """Leave the WebSocket as it was: it holds us, and we hold it."""
        self._guarded(self._end_span)
        for name in _NEXT:
            vars(self._response).pop(name, None)

    def _ending_one(self, method: Callable[P, T]) -> Callable[P, T]:
        # Not a coroutine function: the caller of wait_for(receive_str(), 5) leaves the
        # message before, whichever task the coroutine runs in.
        @wraps(method)
        def end_then_call(*args: P.args, **kwargs: P.kwargs) -> T:
            self._guarded(self._end)
            return method(*args, **kwargs)

        return end_then_call

    def _beginning_one(
        self, receive: Callable[P, Awaitable[Any]]
    ) -> Callable[P, Coroutine[Any, Any, Any]]:
        async def begin_when_received(received: Awaitable[Any]) -> Any:
            message = await received
            if message.type not in _NONE:
                self._guarded(self._begin)
            return message

        @wraps(receive)
        def receive_and_begin(
            *args: P.args, **kwargs: P.kwargs
        ) -> Coroutine[Any, Any, Any]:
            return begin_when_received(receive(*args, **kwargs))

        return receive_and_begin

    def _begin(self) -> None:
        """Number what is logged in this task from now on. Never detached: see serve."""
        self._number += 1
        fields = {NUMBER: self._number}
        context, around = get_current(), get_current_span()
        enter(self._block, request_in(context), fields)
        # Before the span, which may fail: the number has to be left again in any case.
        attach(set_value(_HANDLED, (around, around), context))
        if self._tracer is not None:
            span = self._tracer.start_span(SPAN_NAME, attributes=fields)
            self._span = span
            context = set_span_in_context(span, context)
            attach(set_value(_HANDLED, (span, around), context))

    def _end(self) -> None:
        self._end_span()
        context = get_current()
        handled: tuple[Span, Span] | None = context.get(_HANDLED)  # type: ignore[assignment]
        if handled is None:
            return
        span, around = handled
        if get_current_span() is span:
            context = set_span_in_context(around, context)
        leave(self._block)
        attach(set_value(_HANDLED, None, context))

    def _end_span(self, error: BaseException | None = None) -> None:
        span, self._span = self._span, None
        if span is None:
            return
        if error is not None:
            span.set_attribute(ERROR_TYPE, type(error).__qualname__)
        if isinstance(error, Exception):
            span.record_exception(error)
            span.set_status(StatusCode.ERROR, error_text(error))
        span.end()

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:  # noqa: BLE001 (counted and logged)
            self._failing()
