"""Cancellation and back-pressure reach an application as they do without us."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from aiohttp import web
from unchanged_talks import get
from unchanged_wire import TIMEOUT, statuses

CHUNK = b"x" * 65536
CHUNKS = 400


async def until(true):
    end = time.monotonic() + TIMEOUT
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("ours", [False, True])
@pytest.mark.parametrize("cancels", [False, True])
async def test_client_gone(start, ours, cancels):
    """
    When the client goes, a handler is cancelled if the server is set so, once and at
    the place where it waits; else it goes on to its end.
    """
    notes, begun, go_on = [], asyncio.Event(), asyncio.Event()

    async def handler(request):
        begun.set()
        try:
            await go_on.wait()
            notes.append("done")
        except asyncio.CancelledError as error:
            notes.append(("cancelled", error.args))
            await asyncio.sleep(0)  # a second one would come here
            notes.append("cleaned up")
            raise
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    port = await start(app, ours=ours, handler_cancellation=cancels)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get("/"))
    await asyncio.wait_for(begun.wait(), TIMEOUT)
    writer.close()
    await writer.wait_closed()
    if not cancels:
        await asyncio.sleep(0.05)
        go_on.set()
    await until(lambda: notes and notes[-1] in {"done", "cleaned up"})

    assert notes == ([("cancelled", ()), "cleaned up"] if cancels else ["done"])


@pytest.mark.parametrize("ours", [False, True])
async def test_cancelled_by_the_application(start, ours):
    """A handler that cancels its own task ends without an answer, as without us."""

    async def handler(request):
        asyncio.current_task().cancel()
        await asyncio.sleep(1)

    app = web.Application()
    app.router.add_get("/", handler)
    port = await start(app, ours=ours)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get("/"))

    assert await asyncio.wait_for(reader.read(), TIMEOUT) == b""
    writer.close()
    await writer.wait_closed()


async def written_before_pause(start, ours):
    """Return how many chunks go out to a client that doesn't read, and then in all."""
    written = []

    async def handler(request):
        sock = request.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        response = web.StreamResponse()
        await response.prepare(request)
        for number in range(CHUNKS):
            await response.write(CHUNK)
            written.append(number)
        return response

    app = web.Application()
    app.router.add_get("/", handler)
    port = await start(app, ours=ours)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    await loop.sock_sendall(client, get("/"))
    before = -1
    while before != len(written):
        before = len(written)
        await asyncio.sleep(0.2)
    parts = []
    while part := await asyncio.wait_for(loop.sock_recv(client, 1 << 20), TIMEOUT):
        parts.append(part)
    client.close()
    got = b"".join(parts)
    assert statuses(got) == [b"200"]
    assert got.count(b"x") == len(CHUNK) * len(written)
    return before, len(written)


async def test_a_client_that_does_not_read(start):
    """A writer waits for its client, after as much as without us."""
    plain, in_all = await written_before_pause(start, ours=False)
    ours, ours_in_all = await written_before_pause(start, ours=True)

    assert in_all == ours_in_all == CHUNKS
    assert 0 < plain < CHUNKS / 2
    assert abs(ours - plain) <= 4


async def sent_before_pause(start, ours):
    """Return how much of an upload goes to a handler that doesn't read."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handler(request):
        begun.set()
        await go_on.wait()
        return web.Response(text=str(len(await request.read())))

    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/", handler)
    port = await start(app, ours=ours)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    size = 64 << 20
    writer.transport.set_write_buffer_limits(0)
    writer.write(get("/", f"Content-Length: {size}", method="POST"))
    await asyncio.wait_for(begun.wait(), TIMEOUT)
    sent, blocked = 0, False
    while not blocked and sent < size:
        writer.write(CHUNK)
        sent += len(CHUNK)
        try:
            await asyncio.wait_for(writer.drain(), 0.3)
        except asyncio.TimeoutError:
            blocked = True
    paused = sent
    go_on.set()
    writer.write(bytes(size - sent))
    answer = await asyncio.wait_for(reader.read(), TIMEOUT)
    writer.close()
    await writer.wait_closed()
    assert answer.endswith(str(size).encode())
    return paused, size


async def test_a_handler_that_does_not_read(start):
    """A client has to wait for its handler, after as much as without us."""
    plain, size = await sent_before_pause(start, ours=False)
    ours, _ = await sent_before_pause(start, ours=True)

    assert plain < size / 2
    assert 0.5 < ours / plain < 2
