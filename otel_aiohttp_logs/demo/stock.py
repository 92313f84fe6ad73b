"""
The stock: what is on the shelves, and when a warehouse can deliver.

    python -m otel_aiohttp_logs.demo.stock
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from aiohttp import web

from otel_aiohttp_logs import detached
from otel_aiohttp_logs.demo.service import serve
from otel_aiohttp_logs.demo.warehouse import days_until_delivery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger("stock")

RECOUNTS = web.AppKey("recounts", set[asyncio.Task[None]])


async def reserve(request: web.Request) -> web.Response:
    number, wanted = _number(request), await request.json()
    item, quantity = str(wanted["item"]), int(wanted["quantity"])
    _begin_recounts(request.app[RECOUNTS])
    log.info("reservation asked", extra={"order": number, "item": item})
    left = await asyncio.to_thread(_count, number, item)
    await asyncio.sleep(0.005)
    log.info("item reserved", extra={"order": number, "left": left - quantity})
    return web.json_response({"order": number, "left": left - quantity})


def _count(number: int, item: str) -> int:
    time.sleep(0.01)
    left = 60 - number % 50
    log.info("shelf counted", extra={"order": number, "item": item, "left": left})
    return left


def _begin_recounts(tasks: set[asyncio.Task[None]]) -> None:
    """Begin, with the first request, what goes on for ever and belongs to none."""
    if not tasks:
        with detached():
            tasks.add(asyncio.create_task(_recount()))


async def _recount() -> None:
    while True:
        log.info("shelves recounted", extra={"shelves": 20})
        await asyncio.sleep(10)


async def reservation(request: web.Request) -> web.Response:
    number = _number(request)
    await asyncio.sleep(0.01)
    log.info("reservation looked up", extra={"order": number, "held_min": 15})
    return web.json_response({"order": number})


async def ask_warehouse(request: web.Request) -> web.Response:
    number = _number(request)
    days = await days_until_delivery(number)
    return web.json_response({"order": number, "days": days})


def application() -> web.Application:
    app = web.Application()
    app.router.add_put(r"/reservations/{number:\d{1,12}}", reserve)
    app.router.add_get(r"/reservations/{number:\d{1,12}}", reservation)
    app.router.add_get(r"/warehouses/{number:\d{1,12}}", ask_warehouse)

    async def recounts(app: web.Application) -> AsyncIterator[None]:
        app[RECOUNTS] = set()
        yield
        for task in app[RECOUNTS]:
            task.cancel()
        await asyncio.gather(*app[RECOUNTS], return_exceptions=True)

    app.cleanup_ctx.append(recounts)
    return app


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])


if __name__ == "__main__":
    serve(application(), default_port=8082)
