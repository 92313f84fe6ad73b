"""
The shop: orders and baskets.

    STOCK_URL=http://127.0.0.1:8082 python -m otel_aiohttp_logs.demo.shop

An ordinary aiohttp application that logs with the standard ``logging``; who asks is
bound by a middleware. ``stock`` is asked over HTTP.

Each line also names its order by itself: that is what the demo's check goes by.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from typing import TYPE_CHECKING

from aiohttp import ClientSession, web

from otel_aiohttp_logs import bind, bound, client_trace_config
from otel_aiohttp_logs.demo.bank import charge_card
from otel_aiohttp_logs.demo.scenarios import user_of
from otel_aiohttp_logs.demo.service import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger("shop")

STOCK = web.AppKey("stock", ClientSession)
MAILS = web.AppKey("mails", set[asyncio.Task[None]])
ITEMS = ("tea", "jam", "rice", "olives", "soap", "salt", "figs", "mint")
SLOW_MS = 300


@web.middleware
async def know_user(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put on each line, event and span who asks, as a login would."""
    if "number" in request.match_info:
        bind(user_id=user_of(_number(request)))
    return await handler(request)


async def place_order(request: web.Request) -> web.Response:
    number = _number(request)
    item, quantity = ITEMS[number % len(ITEMS)], 1 + number % 3
    log.info(
        "order received", extra={"order": number, "item": item, "quantity": quantity}
    )
    wanted = {"item": item, "quantity": quantity}
    stock = request.app[STOCK]
    async with stock.put(f"/reservations/{number}", json=wanted) as response:
        response.raise_for_status()
    price = await asyncio.to_thread(_price, number, quantity)
    log.info("order accepted", extra={"order": number, "price": price})
    return web.json_response({"order": number, "item": item, "price": price})


def _price(number: int, quantity: int) -> float:
    time.sleep(0.01)
    price = round(quantity * (2.5 + number % 7), 2)
    log.info("price worked out", extra={"order": number, "price": price})
    return price


async def promise_delivery(request: web.Request) -> web.Response:
    number = _number(request)
    log.info("delivery date asked", extra={"order": number})
    asked, stock = time.monotonic(), request.app[STOCK]
    async with stock.get(f"/warehouses/{number}") as response:
        days = (await response.json())["days"]
    waited = round((time.monotonic() - asked) * 1000)
    if waited >= SLOW_MS:
        log.warning("stock answered late", extra={"order": number, "ms": waited})
    log.info("delivery date promised", extra={"order": number, "days": days})
    return web.json_response({"order": number, "days": days})


async def take_payment(request: web.Request) -> web.Response:
    number = _number(request)
    log.info("payment begun", extra={"order": number, "card": "visa"})
    stock = request.app[STOCK]
    async with stock.get(f"/reservations/{number}") as response:
        response.raise_for_status()
    await charge_card(number)
    return web.json_response({"order": number})


async def confirm(request: web.Request) -> web.Response:
    number = _number(request)
    log.info("confirmation queued", extra={"order": number})
    mails = request.app[MAILS]
    mail = asyncio.create_task(_send_mail(number))
    mails.add(mail)
    mail.add_done_callback(mails.discard)
    return web.json_response({"order": number}, status=202)


async def _send_mail(number: int) -> None:
    await asyncio.sleep(0.15)
    size = await asyncio.to_thread(_render_mail, number)
    log.warning("mail server is busy", extra={"order": number, "attempt": 1})
    await asyncio.sleep(0.25)
    log.info("confirmation sent", extra={"order": number, "bytes": size})


def _render_mail(number: int) -> int:
    size = 1800 + number % 97
    log.info("confirmation rendered", extra={"order": number, "bytes": size})
    return size


async def stream_invoice(request: web.Request) -> web.StreamResponse:
    number = _number(request)
    log.info("invoice begun", extra={"order": number, "pages": 3})
    response = web.StreamResponse()
    response.content_type = "text/plain"
    await response.prepare(request)
    for page in (1, 2, 3):
        with bound(page=page):
            await response.write(f"order {number}, page {page}\n".encode())
            log.info("invoice page written", extra={"order": number})
        await asyncio.sleep(0.06)
    await response.write_eof()
    log.info("invoice complete", extra={"order": number})
    return response


async def find_basket(request: web.Request) -> web.Response:
    number = _number(request)
    log.info("basket looked for", extra={"basket": number})
    await asyncio.sleep(0.01)
    log.warning("basket not found", extra={"basket": number, "kept_days": 30})
    raise web.HTTPNotFound(text=f"there is no basket {number}\n")


async def fill_basket(request: web.Request) -> web.WebSocketResponse:
    number, added = _number(request), 0
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    log.info("basket opened", extra={"basket": number})
    async for message in socket:
        added += 1
        log.info("item added", extra={"basket": number, "item": str(message.data)[:40]})
        await socket.send_json({"basket": number, "items": added})
    log.info("basket closed", extra={"basket": number, "items": added})
    return socket


async def search(request: web.Request) -> web.Response:
    number = _number(request)
    log.info("search begun", extra={"search": number, "words": "olive oil"})
    try:
        for shelf in range(1, 21):
            await asyncio.sleep(0.1)
            if shelf == 1:
                log.info("shelves searched", extra={"search": number, "found": 2})
    except asyncio.CancelledError:
        log.warning("caller went away", extra={"search": number, "shelf": shelf})
        raise
    return web.json_response({"search": number, "found": 2})


def application(stock_url: str) -> web.Application:
    app = web.Application(middlewares=[know_user])
    app.router.add_post(r"/orders/{number:\d{1,12}}", place_order)
    app.router.add_post(r"/orders/{number:\d{1,12}}/delivery", promise_delivery)
    app.router.add_post(r"/orders/{number:\d{1,12}}/payment", take_payment)
    app.router.add_post(r"/orders/{number:\d{1,12}}/confirmation", confirm)
    app.router.add_get(r"/orders/{number:\d{1,12}}/invoice", stream_invoice)
    app.router.add_get(r"/baskets/{number:\d{1,12}}", find_basket)
    app.router.add_get(r"/baskets/{number:\d{1,12}}/live", fill_basket)
    app.router.add_get(r"/search/{number:\d{1,12}}", search)

    async def opened(app: web.Application) -> AsyncIterator[None]:
        app[MAILS] = set()
        config = client_trace_config()
        async with ClientSession(stock_url, trace_configs=[config]) as app[STOCK]:
            log.info("shop opened", extra={"stock": stock_url})
            yield
            await asyncio.gather(*app[MAILS], return_exceptions=True)

    app.cleanup_ctx.append(opened)
    return app


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])


if __name__ == "__main__":
    url = os.environ.get("STOCK_URL") or "http://127.0.0.1:8082"
    serve(application(url), default_port=8081)
