"""The application of the gunicorn tests: its lines say whose they are."""

from __future__ import annotations

import asyncio
import logging
import os

from aiohttp import web

from otel_aiohttp_logs import instrument_app

log = logging.getLogger("shop")


async def ok(request):
    log.info("good %s", request.query.get("n", ""))
    return web.Response(text=str(os.getpid()))


async def boom(request):
    raise ValueError("no tea")


async def slow(request):
    await asyncio.sleep(1)
    log.info("slow")
    return web.Response(text="slow")


def make():
    app = web.Application()
    app.add_routes([web.get("/", ok), web.get("/boom", boom), web.get("/slow", slow)])
    instrument_app(app)
    return app


async def factory():
    return make()


app = make()
