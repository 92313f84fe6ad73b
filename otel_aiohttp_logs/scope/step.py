"""``step``: a part of the work, as a child span and a line at its end."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING

from aiohttp import web
from opentelemetry import trace
from opentelemetry.context import attach, get_current
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import StatusCode, set_span_in_context

from otel_aiohttp_logs.record.exceptions import error_text
from otel_aiohttp_logs.record.text import name_of
from otel_aiohttp_logs.scope.block import Block, Run, put_back
from otel_aiohttp_logs.scope.fields import BOUND, enter, fields_now, leave
from otel_aiohttp_logs.scope.given import attribute, safe_fields
from otel_aiohttp_logs.scope.place import (
    Place,
    log_from,
    place_of_frame,
    place_of_function,
)
from otel_aiohttp_logs.scope.request import request_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from typing import Any

    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

    from otel_aiohttp_logs.flat import Plain

FIELD = "step"
_OWN = frozenset({FIELD, "duration", "outcome"})
_log = logging.getLogger("otel_aiohttp_logs")
_said_once = threading.Event()


def step(name: str, /, **fields: object) -> StepBlock:
    """
    Make a ``with`` block, or a function, a step: a child span, and a line at its end.

    The line has the *fields*, the ``duration`` in seconds and the ``outcome``: ``ok``,
    ``failed`` or ``cancelled``. It's logged by the logger named as the caller's module,
    at INFO, or at ERROR with the traceback if an exception came out. That one is
    raised on as it is, and its traceback is logged once, by the innermost step. An
    ``HTTPException`` below 500 is no failure.

    The span has the *fields*, too, and those that are bound. It's the current one
    within the block, whose lines have the name as the field ``step``.
    """
    place = place_of_frame(sys._getframe(1))  # noqa: SLF001 (what logging does)
    return StepBlock(name_of(name), _own_named(safe_fields(fields)), place)


class StepBlock(Block):
    """See ``step``."""

    def __init__(self, name: str, fields: Mapping[str, Plain], place: Place) -> None:
        super().__init__()
        self._name = name
        self._fields = fields
        self._place = place

    def _begin(self, function: Callable[..., Any] | None) -> Run:
        place = self._place
        if function is not None:
            place = place_of_function(function, place)
        return StepRun(self._name, self._fields, place)


class StepRun(Run):
    __slots__ = (
        "_around",
        "_context",
        "_fields",
        "_name",
        "_place",
        "_span",
        "_started",
        "_token",
        "traced",
    )

    def __init__(self, name: str, fields: Mapping[str, Plain], place: Place) -> None:
        self._name = name
        self._fields = fields
        self._place = place
        self._around = _innermost_step()
        self._token: Token[Context] | None = None
        self.traced: BaseException | None = None
        """What came out of a step inside of this one, and is in the log already."""
        self._started: float | None = time.perf_counter()
        context = get_current()
        attributes = {**fields_now(), **fields}
        attributes.pop(FIELD, None)
        try:
            self._span = _tracer(context).start_span(
                name,
                context,
                attributes={k: attribute(v) for k, v in attributes.items()},
            )
        except Exception:  # noqa: BLE001 (the application's provider; said in the log)
            _say_once()
            self._span = trace.INVALID_SPAN
        self._context = set_span_in_context(self._span, context)

    def resume(self) -> None:
        self._token = attach(self._context)
        enter(self, request_in(self._context), {FIELD: self._name})

    def suspend(self) -> None:
        self._context = get_current()
        leave(self)
        put_back(self._token)

    def end(self, error: BaseException | None) -> None:
        # It may be the end in another task, or below something that was never ended.
        token = attach(self._context)
        try:
            self._end(error)
        except Exception:  # noqa: BLE001 (the application's handlers and processors)
            _say_once()
        finally:
            put_back(token)
            self._started = self.traced = None

    def tell(self, failure: BaseException) -> None:
        """Note that *failure* is in the log already, if it comes out of here, too."""
        if self._started is not None:
            self.traced = failure

    def _end(self, error: BaseException | None) -> None:
        outcome = _outcome(error)
        failure = error if outcome == "failed" else None
        try:
            self._log(outcome, failure)
        finally:
            if failure is not None:
                self._span.set_attribute(ERROR_TYPE, type(failure).__qualname__)
                self._span.record_exception(failure)
                self._span.set_status(StatusCode.ERROR, error_text(failure))
            self._span.end()

    def _log(self, outcome: str, failure: BaseException | None) -> None:
        duration = round(time.perf_counter() - (self._started or 0), 6)
        own: dict[str, Plain] = {FIELD: self._name, "duration": duration}
        untold = None if failure is self.traced else failure
        level = logging.INFO if failure is None else logging.ERROR
        fields = {**self._fields, **own, "outcome": outcome}
        done = log_from(self._place, level, (self._name, outcome), fields, untold)
        if done and failure is not None and self._around is not None:
            self._around.tell(failure)


def _innermost_step() -> StepRun | None:
    bound = BOUND.get()
    if bound is not None:
        for layer in reversed(bound.layers):
            if isinstance(layer.block, StepRun):
                return layer.block
    return None


def _tracer(context: Context) -> Tracer:
    """Return that of the request's own span, outside of requests the global one."""
    request = request_in(context)
    if request is not None and request.tracer is not None:
        return request.tracer
    return trace.get_tracer("otel_aiohttp_logs")


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, web.HTTPException):
        return "ok" if error.status < 500 else "failed"
    # Not an Exception: a cancellation, a generator closed half-way, an interrupt.
    return "failed" if isinstance(error, Exception) else "cancelled"


def _own_named(fields: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return *fields* so that none stands where one of the line's own stands."""
    return {f"extra.{k}" if k in _OWN else k: v for k, v in fields.items()}


def _say_once() -> None:
    if not _said_once.is_set():
        _said_once.set()
        _log.warning("step_failed", exc_info=True)
