"""A client that is cheap: raw sockets, many requests in one write."""

from __future__ import annotations

import asyncio

PIPELINED = 48
PER_ROUND = PIPELINED + 4
"""Requests of one round."""


def get(path: str, method: str = "GET", extra: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: shop\r\n{extra}\r\n".encode()


_WS = get(
    "/ws",
    extra="Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n",
)
_HELLO = b"\x81\x81\0\0\0\0a"
_BYE = b"\x88\x82\0\0\0\0\x03\xe8"


def _batch(number: int) -> bytes:
    kinds = [
        get(f"/plain/{number}"),
        get(f"/bound/{number}"),
        get("/plain/0", "HEAD"),
        get(f"/nowhere/{number}"),
        get("/upload"),
        get("/redirect"),
        get("/stream"),
        get("/upload", "POST", "Content-Length: 4\r\n") + b"four",
        get("/plain/1?secret=1", extra="traceparent: 00-bad\r\nX-Request-ID: abc\r\n"),
        get("/child"),
    ]
    batch = [kinds[i % len(kinds)] for i in range(PIPELINED - 2)]
    return b"".join([*batch, get("/thread"), get("/mark")])


async def make_round(port: int, number: int) -> None:
    """Send one request of each kind at least, and read each answer."""
    await say(port, _batch(number), until=b"=mark=")
    await asyncio.gather(
        say(port, get("/error")),
        say(port, get("/timeout", extra="Connection: close\r\n")),
        say(port, get("/slow"), go_away=True),
        say(port, _WS, until=b"\r\n\r\n", more=_HELLO + _BYE),
    )


async def say(
    port: int,
    data: bytes,
    *,
    until: bytes | None = None,
    more: bytes = b"",
    go_away: bool = False,
) -> bytes:
    """Send *data*, read until *until*, send *more*, read to the end; return all."""
    answer = b""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if go_away:
        await asyncio.sleep(0.001)
    elif until is not None:
        answer = await reader.readuntil(until)
    if more:
        writer.write(more)
    if more or not (until or go_away):
        answer += await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer
