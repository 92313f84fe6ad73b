"""
Serves a few requests of each kind, and prints what was imported meanwhile.

    python start_served.py bare|ours
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys

from aiohttp import web

import otel_aiohttp_logs

PATHS = ("/orders/1", "/orders/fail", "/nowhere", "/talk", "/a b")
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n"
)

log = logging.getLogger("shop")


async def order(request):
    log.info("caf\xe9 %s", 1, extra={"item": {"a": [1]}})
    with otel_aiohttp_logs.step("look up"):
        await asyncio.to_thread(log.info, "in a thread")
    if request.match_info["name"] == "fail":
        msg = "lost"
        raise RuntimeError(msg)
    return web.Response(text="served")


async def talk(request):
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    await websocket.close()
    return websocket


async def ask(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: shop\r\n{UPGRADE}\r\n".encode())
    await reader.read(20)
    writer.close()


async def main(variant):
    app = web.Application()
    app.router.add_get("/orders/{name}", order)
    app.router.add_get("/talk", talk)
    if variant == "ours":
        otel_aiohttp_logs.instrument_app(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    before = set(sys.modules)
    for path in PATHS:
        await ask(runner.addresses[0][1], path)
    await asyncio.to_thread(otel_aiohttp_logs.flush)
    print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
