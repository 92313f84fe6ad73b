"""Lines that aiohttp logs beside a request have the ids of that request."""

from __future__ import annotations

import asyncio
import logging
import socket

from aiohttp import web
from hooks.raw import GOOD, ids_sent, lines, send

log = logging.getLogger("shop")


async def test_a_wrong_expect_header(quietly, started, records, arrived, collector):
    """The 417 has an id, which is on its line, too."""
    address = await started(quietly(access_log="classic"))
    wrong = b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nConnection: close\r\n\r\n"
    answer = await send(address, wrong)

    assert answer.startswith(b"HTTP/1.1 417")
    assert [one for one, _ in lines(records, "aiohttp.access")] == ids_sent(answer)


async def test_an_unhandled_exception(quietly, started, records):
    """If a signal raises, aiohttp says so in the connection's task: with the ids."""

    async def broken(_, response):
        raise RuntimeError("the signal broke")

    app = quietly()
    app.on_response_prepare.append(broken)
    address = await started(app)
    await send(address, GOOD)

    by_text = {r.getMessage(): r.request_id for r in records}
    assert by_text["good"] is not None
    assert by_text["Unhandled exception"] == by_text["good"]


async def test_a_client_that_went_away(quietly, started, records):
    """aiohttp's debug lines about the connection have the ids of its request."""
    begun, logger = asyncio.Event(), logging.getLogger("aiohttp.server")

    async def endless(request):
        log.info("begun")
        response = web.StreamResponse()
        await response.prepare(request)
        begun.set()
        while True:
            await response.write(b"tea" * 10_000)

    app = web.Application()
    app.router.add_get("/", endless)
    # aiohttp looks at the loop's debug mode when it starts.
    asyncio.get_running_loop().set_debug(True)
    address = await started(quietly(app))
    before = logger.level
    logger.setLevel(logging.DEBUG)
    gone = socket.create_connection(address)
    gone.sendall(GOOD)
    await asyncio.wait_for(begun.wait(), 10)
    gone.close()
    for _ in range(500):
        ignored = [r for r in records if r.getMessage().startswith("Ignored premature")]
        if ignored:
            break
        await asyncio.sleep(0.01)
    logger.setLevel(before)
    asyncio.get_running_loop().set_debug(False)

    (own,) = [r for r in records if r.name == "shop"]
    assert own.request_id is not None
    assert {r.request_id for r in ignored} == {own.request_id}
