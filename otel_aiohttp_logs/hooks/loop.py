"""
What an event loop says of a task or callback that failed belongs to its request.

"Task exception was never retrieved" is logged when the task is thrown away, and
"Exception in callback" by the loop: wherever that happens to be. The loop is told to
handle either in the context of the task or callback.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from contextvars import Context
from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach, get_current

from otel_aiohttp_logs.hooks.method import ReplacedMethod
from otel_aiohttp_logs.scope.request import REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_aiohttp_logs.hooks.method import Switch

_STARTED_IN = "_otel_aiohttp_logs_started_in"


def loop_methods(loop: asyncio.AbstractEventLoop) -> list[ReplacedMethod]:
    """Return what is to be replaced in *loop*: nothing if its kind lets nobody."""
    if not hasattr(loop, "__dict__"):
        return []
    return [
        ReplacedMethod(loop, "call_exception_handler", _handling_in_context),
        ReplacedMethod(loop, "run_in_executor", _remembering_the_request),
    ]


def _handling_in_context(call: Callable[..., None], switch: Switch) -> Any:
    # Not set_exception_handler(): the application may set one of its own at any time.
    @wraps(call)
    def call_exception_handler(context: dict[str, Any]) -> None:
        variables = context_of_failure(context) if switch.on else None
        if variables is None or not (
            REQUEST in variables.run(get_current) or REQUEST in get_current()
        ):
            return call(context)
        return variables.run(call, context)

    return call_exception_handler


def _remembering_the_request(run: Callable[..., Any], switch: Switch) -> Any:
    """Return ``run_in_executor`` whose future knows its request: it has no context."""

    @wraps(run)
    def run_in_executor(*args: Any, **kwargs: Any) -> Any:
        future = run(*args, **kwargs)
        current = get_current()
        if REQUEST in current and switch.on:
            with suppress(AttributeError):  # another loop's kind of future
                setattr(future, _STARTED_IN, current)
        return future

    return run_in_executor


def context_of_failure(failure: dict[str, Any]) -> Context | None:
    """Return a copy of the context that *failure* happened in, None if unknown."""
    about = failure.get("task") or failure.get("future") or failure.get("handle")
    # Those of gather() and of run_in_executor() are futures without a context.
    children = getattr(about, "_children", None)
    if isinstance(children, list) and children:
        about = children[0]
    started_in = getattr(about, _STARTED_IN, None)
    if started_in is not None:
        context = Context()
        context.run(attach, started_in)
        return context
    if about is None or (
        asyncio.isfuture(about) and not isinstance(about, asyncio.Task)
    ):
        return None
    return context_of(about)


def context_of(work: object) -> Context | None:
    """Return a copy of the context of *work*, a task or a loop's handle."""
    get_context = getattr(work, "get_context", None)
    if get_context is not None:
        context = get_context()
        return context.copy() if isinstance(context, Context) else None
    # Before Python 3.12 nothing gives it away but the garbage collector.
    for referent in gc.get_referents(work):
        if isinstance(referent, Context):
            return referent.copy()
    return None
