"""How a request ended is recorded as it really was, by whoever ended it."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import ClientError, web


async def end_of(instrumented, arrived, handler):
    """Return the span of a request that gets no whole answer."""
    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    with pytest.raises(ClientError):
        async with client.get("/") as response:
            await response.read()
    (span,) = await arrived.served()
    return span


async def test_a_body_that_fails(instrumented, arrived, events_of, caplog):
    """
    It's the server's failure, with its exception: that aiohttp then closes the
    connection doesn't make it the client's.
    """
    caplog.set_level(logging.CRITICAL, logger="aiohttp.server")

    async def body():
        yield b"a part"
        raise LookupError("no more parts")

    async def handler(request):
        return web.Response(body=body())

    span = await end_of(instrumented, arrived, handler)

    assert span.attributes["error.type"] == "LookupError"
    assert span.attributes["http.response.status_code"] == 200
    assert span.proto.status.code == 2
    ((name, fields),) = events_of(span)
    assert (name, fields["exception.message"]) == ("exception", "no more parts")


async def test_a_handler_that_is_cancelled(instrumented, arrived, events_of):
    """
    By the server itself: the client didn't leave, and it's no error of the server's.
    """

    async def handler(request):
        asyncio.current_task().cancel()
        await asyncio.sleep(1)

    span = await end_of(instrumented, arrived, handler)

    assert span.attributes["error.type"] == "CancelledError"
    assert span.proto.status.code == 0
    assert events_of(span) == []
