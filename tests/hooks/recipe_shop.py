"""A recipe from standard input, and a small service that logs the way it sets up."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from otel_aiohttp_logs import instrument_app, request_id

recipe: dict[str, object] = {}
exec(compile(sys.stdin.read(), "recipe", "exec"), recipe)
log = recipe["log"]


async def buy(request):
    item = request.match_info["item"]
    text = f"{item} {request_id()}"
    # Each of the packages formats arguments in a way of its own.
    log.info(f"bought {text}")  # noqa: G004
    await asyncio.sleep(0.01)
    await asyncio.to_thread(log.warning, f"paid {text}")
    return web.Response()


async def main():
    app = web.Application()
    app.router.add_get("/{item}", buy)
    instrument_app(app, output="json")
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = server.make_url("/")
        await asyncio.gather(*(session.get(url / f"tea{n}") for n in range(10)))


asyncio.run(main())
