"""
What aiohttp logs of a connection has the ids of the request that it was about.

Its parser's 400s have no request that a middleware could see, and a few lines, such as
"Unhandled exception", are logged in the connection's task instead of the request's.
"""

from __future__ import annotations

import sys
from contextvars import copy_context
from functools import wraps
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from opentelemetry.context import attach, get_current

from otel_aiohttp_logs.hooks.method import ReplacedMethod
from otel_aiohttp_logs.request.rejected import REJECT, context_of_request
from otel_aiohttp_logs.scope.request import REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from opentelemetry.context import Context

    from otel_aiohttp_logs.hooks.method import Switch
    from otel_aiohttp_logs.request.rejected import Reject


def connection_methods() -> list[ReplacedMethod]:
    return [
        ReplacedMethod(RequestHandler, "_make_error_handler", _with_an_id),
        ReplacedMethod(RequestHandler, "log_exception", _in_its_request),
        ReplacedMethod(RequestHandler, "log_debug", _in_its_request),
    ]


def _with_an_id(make: Callable[..., Any], switch: Switch) -> Callable[..., Any]:
    @wraps(make)
    def make_error_handler(connection: RequestHandler, error: Any) -> Any:
        handler = make(connection, error)
        begin = _reject_of(connection) if switch.on else None
        if begin is None:
            return handler

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            rejected = begin(request, getattr(error, "exc", None))
            response: web.StreamResponse = await handler(request)
            if rejected is not None:
                rejected.responding(response)
            return response

        return answer

    return make_error_handler


def _reject_of(connection: RequestHandler) -> Reject | None:
    """Return what begins a rejected request, None if its application isn't ours."""
    app = getattr(getattr(connection, "_request_handler", None), "__self__", None)
    return app.get(REJECT) if isinstance(app, web.Application) else None


def _in_its_request(log: Callable[..., None], switch: Switch) -> Callable[..., None]:
    needs_debug = log.__name__ == "log_debug"

    @wraps(log)
    def log_in_request(connection: Any, *args: Any, **kwargs: Any) -> None:
        if needs_debug and not connection.debug:
            return None
        if REQUEST in get_current() or not switch.on:
            return log(connection, *args, **kwargs)
        context = _last_served()
        if context is None:
            return log(connection, *args, **kwargs)
        variables = copy_context()
        variables.run(attach, context)
        return variables.run(log, connection, *args, **kwargs)

    return log_in_request


def _last_served() -> Context | None:
    """
    Return the context of the request that aiohttp's connection loop has just served.

    It knows it as a local variable only; whatever it logs is about that one.
    """
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 (inspect does the same)
    loop = getattr(RequestHandler.start, "__code__", None)
    while frame is not None and frame.f_code is not loop:
        frame = frame.f_back
    request = None if frame is None else frame.f_locals.get("request")
    return context_of_request(request) if isinstance(request, web.BaseRequest) else None
