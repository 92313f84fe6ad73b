"""Conversations over a WebSocket, for the tests of its messages."""

from __future__ import annotations

import logging

from aiohttp import web

log = logging.getLogger("shop")
NUMBER = "websocket.message"


def app_of(talk, **options):
    """Return an application whose one WebSocket *talk* handles."""

    async def handler(request):
        socket = web.WebSocketResponse(**options)
        await socket.prepare(request)
        log.info("open")
        try:
            await talk(socket)
        finally:
            log.info("left")
        return socket

    app = web.Application()
    app.router.add_get("/talk/{n}", handler)
    return app


def numbers(lines):
    """Return (text, number) of each line, in the order in which they were logged."""
    ordered = sorted(lines, key=lambda line: line.proto.time_unix_nano)
    return [(line.body, line.attributes.get(NUMBER)) for line in ordered]


async def say(client, texts, path="/talk/1"):
    async with client.ws_connect(path) as socket:
        for text in texts:
            await socket.send_str(text)
            await socket.receive_str(timeout=5)
