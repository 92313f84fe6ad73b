"""Bytes for a server, good and bad, and what comes back."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from otel_aiohttp_logs.record.said import said as fields_of

log = logging.getLogger("shop")

BAD = {
    "header": b"GET / HTTP/1.1\r\nHost: shop\r\nno colon here\r\n\r\n",
    "version": b"GET / HTTP/x.y\r\nHost: shop\r\n\r\n",
    "length": b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: tea\r\n\r\n",
    "too long": b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n",
}
CLOSING = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
GOOD = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"


async def ok(_):
    log.info("good")
    return web.Response(text="ok")


def app_with_ok():
    app = web.Application()
    app.router.add_get("/", ok)
    return app


async def send(address, *pieces):
    """
    Send each piece when the one before was answered, and return all answers, until the
    server hangs up.
    """
    reader, writer = await asyncio.open_connection(*address)
    answer = b""
    for piece in pieces:
        writer.write(piece)
        answer += await asyncio.wait_for(reader.read(65536), 10)
    answer += await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


def ids_sent(answer):
    """The id in the header of each response."""
    head = b"X-Request-ID: "
    return [
        line.removeprefix(head).decode()
        for line in answer.split(b"\r\n")
        if line.startswith(head)
    ]


def lines(records, logger):
    return [(r.request_id, fields_of(r).fields) for r in records if r.name == logger]
