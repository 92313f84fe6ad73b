"""Kinds whose client goes away, or that are cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
from load_kind import CANCELLED, DISCONNECTED, LATE, Kind, add_routes, number_of, say

if TYPE_CHECKING:
    from load_caller import Call, Caller

FOREVER = 60


async def gone(request):
    number = number_of(request)
    say(number, "waiting")
    try:
        await asyncio.sleep(FOREVER)
    except asyncio.CancelledError:
        say(number, "the client is gone")
        raise


async def cancelled(request):
    number = number_of(request)
    say(number, "giving up")
    asyncio.current_task().cancel()
    await asyncio.sleep(1)


async def shielded(request):
    """What is shielded goes on when its request is over."""
    number, served = number_of(request), asyncio.current_task()

    async def finish():
        await asyncio.wait({served})
        await asyncio.sleep(0.01)
        say(number, f"{LATE} shielded")

    say(number, "shielding")
    work = asyncio.create_task(finish())
    request.app["tasks"].add(work)
    await asyncio.shield(work)


async def upload_gone(request):
    number = number_of(request)
    say(number, "reading")
    try:
        await request.read()
    finally:
        say(number, "read no more")


async def stream_gone(request):
    number = number_of(request)
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        say(number, "sending")
        while True:
            await response.write(b"chunk")
            await asyncio.sleep(0.001)
    finally:
        say(number, "stopped sending")


async def generator_gone(request):
    """Somebody closes the body: aiohttp, or the loop when it's thrown away."""
    number = number_of(request)

    async def body():
        try:
            while True:
                yield b"chunk"
                await asyncio.sleep(0.001)
        finally:
            say(number, "closing the body")

    return web.Response(body=body())


async def websocket_gone(request):
    number = number_of(request)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    try:
        async for message in socket:
            say(number, f"message {message.data}")
            await socket.send_str("ok")
    finally:
        say(number, "the socket is gone")


async def until_it_ends(caller: Caller, call: Call) -> None:
    await caller.raw(call)


async def go_away_when_continued(caller: Caller, call: Call) -> None:
    """Go away when the answer "continue" says that the request is being handled."""
    await caller.raw(call, "Expect: 100-continue", until=b"\r\n\r\n")


async def go_away_while_sending(caller: Caller, call: Call) -> None:
    headers = "Content-Length: 100", "Expect: 100-continue"
    await caller.raw(call, *headers, until=b"\r\n\r\n")


async def go_away_when_answered(caller: Caller, call: Call) -> None:
    await caller.raw(call, until=b"chunk")


async def drop_the_socket(caller: Caller, call: Call) -> None:
    socket = await caller.session.ws_connect(call.url, headers=call.headers)
    call.answered(socket._response)
    await socket.send_str("1")
    await socket.receive_str(timeout=10)
    socket._response.connection.transport.abort()
    await socket.close()


def departure(name, handler, lines, status, ask):
    return Kind(name, handler, lines, status, ask=ask, error=CANCELLED)


KINDS = (
    departure("gone", gone, 2, None, go_away_when_continued),
    departure("cancelled", cancelled, 1, None, until_it_ends),
    departure("shielded", shielded, 2, None, go_away_when_continued),
    departure("upload gone", upload_gone, 2, None, go_away_while_sending),
    departure("stream gone", stream_gone, 2, 200, go_away_when_answered),
    departure("websocket gone", websocket_gone, 2, 101, drop_the_socket),
    # aiohttp, which sends the body, ends then without being cancelled.
    Kind(
        "generator gone",
        generator_gone,
        1,
        ask=go_away_when_answered,
        error=DISCONNECTED,
    ),
)


def add_to(app: web.Application) -> None:
    add_routes(app, KINDS)
