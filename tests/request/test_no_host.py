"""A request may come without what nearly all others have."""

from __future__ import annotations

import asyncio

from aiohttp import web


async def ok(_: web.Request) -> web.Response:
    return web.Response(text="ok")


async def test_a_request_without_a_host(instrumented, arrived):
    """Its span has no address of a server; those before and after it have theirs."""
    app = web.Application()
    app.router.add_get("/", ok)
    client = await instrumented(app)
    hosts = ("a.example", "a.example", None, "a.example", "b.example", None, None)
    for host in hosts:
        line = "" if host is None else f"Host: {host}\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(f"GET / HTTP/1.0\r\n{line}\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        assert answer.startswith(b"HTTP/1.0 200")

    spans = await arrived.served(len(hosts))

    assert tuple(span.attributes.get("server.address") for span in spans) == hosts
