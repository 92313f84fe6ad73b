"""A request begins, and keeps its telemetry: whoever has the request finds it there."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING

from aiohttp import web

from otel_aiohttp_logs.request.serve import ServedRequest

if TYPE_CHECKING:
    from otel_aiohttp_logs.request.instruments import Instruments

_kept: list[bool] = []

# Before aiohttp 3.14 there is no RequestKey, and no warning of other keys.
RequestKey = getattr(web, "RequestKey", lambda name, _: name)
KEY = RequestKey("otel_aiohttp_logs.served", ServedRequest)


def begin(request: web.Request, instruments: Instruments) -> ServedRequest | None:
    """Return the request's telemetry, begun now; None if it is on its way already."""
    # To ask an empty request raises inside of it, which takes longer.
    if len(request) and KEY in request:
        return None
    served = ServedRequest(request, instruments)
    request[KEY] = served
    _keep(request, served.request_id)
    task = asyncio.current_task()
    if task is not None:
        task.add_done_callback(served.finished)
    return served


def _keep(request: web.Request, request_id: str) -> None:
    if _kept:
        request["request_id"] = request_id
        return
    # Once in a process aiohttp warns of a key that is no RequestKey; this one is a
    # string by design, and the warning may be an error.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        request["request_id"] = request_id
    _kept.append(True)


def served_request(request: web.BaseRequest) -> ServedRequest | None:
    try:  # request.get() goes through three functions more
        served: ServedRequest = request[KEY]
    except KeyError:
        return None
    return served
