"""
Three services in a chain, as an application would write them: shop, stock, supply.

``python chain_services.py shop PORT_FILE`` serves one on a free port of loopback, which
it writes to PORT_FILE. NEXT is the URL of the one that it calls. What happens to a
request depends on its kind, ``?kind=retried``; see ``chain_kinds.py``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections import Counter
from pathlib import Path

import aiohttp
from aiohttp import web

from otel_aiohttp_logs import bind, bound, client_trace_config, instrument_app, step

PATIENCE = 4.0
"""Seconds that a caller waits who gives up in the end; nobody else has to wait."""
log = logging.getLogger("chain")
session_key = web.AppKey("session", aiohttp.ClientSession)
tries_key = web.AppKey("tries", Counter)


class Called:
    """What a handler knows of its request."""

    def __init__(self, request):
        self.request = request
        self.kind = request.query["kind"]
        self.order = int(request.match_info["order"])
        self._session = request.app[session_key]

    def try_number(self):
        tries = self.request.app[tries_key]
        tries[self.order] += 1
        return tries[self.order]

    async def ask(self, method, path, *, attempt=1, timeout=60.0):
        """Return the status that the next service answers."""
        url = f"{os.environ['NEXT']}{path}/{self.order}?kind={self.kind}"
        async with self._session.request(
            method,
            url,
            timeout=aiohttp.ClientTimeout(total=timeout),
            trace_request_ctx={"current_attempt": attempt},
        ) as response:
            await response.read()
            return response.status


# The shop


async def order(request):
    called = Called(request)
    bind(order=called.order)
    log.info("order received")
    with step("reserve"):
        log.info("reserving")
        status = await ASK[called.kind](called)
    return web.Response(status=status)


async def once(called):
    return await called.ask("GET", "/stock")


async def moved(called):
    return await called.ask("GET", "/moved")


async def until_it_works(called):
    for attempt in (1, 2, 3):
        status = await called.ask("GET", "/stock", attempt=attempt)
        if status != 503:
            break
        log.info("try again")
    return status


async def in_parts(called):
    async def ask(part):
        with bound(part=part):
            log.info("part asked for")
            return await called.ask("GET", "/stock")

    return max(await asyncio.gather(ask("a"), ask("b")))


async def given_up(called):
    try:
        return await asyncio.wait_for(called.ask("GET", "/stock"), PATIENCE)
    except asyncio.TimeoutError:
        return 504


ASK = {
    "served": once,
    "moved": moved,
    "failed": once,
    "retried": until_it_works,
    "in_parts": in_parts,
    "lost": once,
    "timed_out": once,
    "given_up": given_up,
}


# The stock


async def forward(request):
    """To another place of this service, by way of one more."""
    place = "elsewhere" if request.path.startswith("/moved") else "stock"
    location = f"/{place}/{request.match_info['order']}?{request.query_string}"
    return web.Response(status=307, headers={"Location": location})


async def look(request):
    called = Called(request)
    if called.order % 2:
        bind(item=called.order * 10)
    log.info("looking")
    if called.kind == "retried" and called.try_number() < 3:
        return web.Response(status=503)
    if called.kind == "given_up":
        return await _hold(request)
    return web.Response(status=await _supplied(called))


async def _supplied(called):
    timeout = PATIENCE if called.kind == "timed_out" else 60.0
    for attempt in (1, 2):
        try:
            status = await called.ask(
                "POST", "/supply", attempt=attempt, timeout=timeout
            )
        except aiohttp.ServerDisconnectedError:
            continue
        except asyncio.TimeoutError:
            return 504
        return 502 if status == 500 else status
    return 502


# The supply


async def supply(request):
    called = Called(request)
    with bound(shelf=called.order % 7):
        log.info("on the shelf")
    if called.kind == "failed":
        raise LookupError(called.order)
    if called.kind == "lost" and called.try_number() < 2:
        request.transport.abort()
    if called.kind == "timed_out":
        return await _hold(request)
    return web.Response()


async def _hold(request):
    """Answer nothing until the caller is gone."""
    while request.transport is not None:
        await asyncio.sleep(0.02)
    return web.Response()


# Each of them


ROUTES = {
    "shop": [web.get("/orders/{order}", order)],
    "stock": [
        web.get("/moved/{order}", forward),
        web.get("/elsewhere/{order}", forward),
        web.get("/stock/{order}", look),
    ],
    "supply": [web.post("/supply/{order}", supply)],
}


async def session_of(app):
    calls = client_trace_config(propagate_to=["127.0.0.1"])
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), trace_configs=[calls]
    ) as session:
        app[session_key] = session
        yield


def main(service, port_file):
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)

    async def tell_the_port(_):
        part = Path(port_file).with_suffix(".part")
        part.write_text(str(listening.getsockname()[1]))
        part.rename(port_file)

    app = web.Application()
    app[tries_key] = Counter()
    app.router.add_routes(ROUTES[service])
    app.cleanup_ctx.append(session_of)
    app.on_startup.append(tell_the_port)
    # Whom the shop is called by is nobody's business; the others know their caller.
    trusted = None if service == "shop" else "X-Request-ID"
    instrument_app(app, request_id_header=trusted, output="json")
    web.run_app(app, sock=listening, backlog=512, print=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
