"""Posts over a connection of our own, to servers that do as they like."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
from export.records import settings

from otel_aiohttp_logs.export import direct
from otel_aiohttp_logs.export.destination import Destination
from otel_aiohttp_logs.export.direct import Direct

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Reads whole requests, and answers each with what *answer* does."""

    def __init__(self, answer):
        self.requests: list[tuple[bytes, bytes]] = []
        self.connections = 0
        self._answer = answer
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task] = []

    async def serve(self, reader, writer):
        self.connections += 1
        self._writers.append(writer)
        self._tasks.append(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.rpartition(b"Content-Length: ")[2])
                self.requests.append((head, await reader.readexactly(size)))
                await self._answer(len(self.requests), writer)
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()

    def hang_up(self):
        for writer in self._writers:
            writer.close()

    async def close(self):
        self.hang_up()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def posting(answer, host="127.0.0.1", timeout=5.0, **changes):
    """Run a server; yield it and a function that posts to it."""
    served = Server(answer)
    listening = await asyncio.start_server(served.serve, host, 0)
    port = listening.sockets[0].getsockname()[1]
    where = f"[{host}]" if ":" in host else host
    chosen = settings("LOGS", f"http://{where}:{port}/base", gzip=False, **changes)
    destination = Destination(chosen)
    line = Direct(destination.address, timeout)

    async def post(*parts: bytes):
        return await line.post(destination.pack(parts))

    try:
        yield served, post
    finally:
        await line.close()
        listening.close()
        await served.close()


def always(answer: bytes):
    async def write(_, writer):
        writer.write(answer)

    return write


async def test_requests():
    """A request says where it goes, with our headers and those that were set."""
    async with posting(always(OK), headers={"X-Org": "ä"}) as (served, post):
        assert (await post(b"ab", b"cd")).accepted
        assert (await post(b"")).accepted

    (head, body), (_, empty) = served.requests
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /base/v1/logs HTTP/1.1"
    assert lines[1].startswith("Host: 127.0.0.1:")
    assert {"X-Org: ä", "Content-Length: 4"} < set(lines)
    assert "Content-Type: application/x-protobuf" in lines
    assert (body, empty) == (b"abcd", b"")
    assert served.connections == 1


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
async def test_ipv6():
    """An address of IPv6 stands in brackets where the protocol wants them."""
    async with posting(always(OK), host="::1") as (served, post):
        assert (await post(b"ab")).accepted

    assert b"\r\nHost: [::1]:" in served.requests[0][0]


async def test_large_requests():
    """A body that doesn't fit into the socket's buffer arrives whole."""
    body = bytes(range(256)) * 64_000
    async with posting(always(OK)) as (served, post):
        assert (await post(body)).accepted

    assert served.requests[0][1] == body


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        OK + b"HTTP/1.1 408 Timeout\r\n\r\n",
    ],
    ids=["old", "close", "more than one answer"],
)
async def test_connections_that_are_not_kept(answer):
    """Where one has ended, or isn't clean any more, the next post opens another."""
    async with posting(always(answer)) as (served, post):
        for _ in range(3):
            assert (await post(b"a")).accepted

    assert served.connections == 3


async def test_server_hangs_up_in_between():
    """A connection that was closed while it was idle is noticed before it's used."""
    async with posting(always(OK)) as (served, post):
        assert (await post(b"a")).accepted
        served.hang_up()
        await asyncio.sleep(0.05)
        assert (await post(b"b")).accepted

    assert served.connections == 2


async def test_idle_for_long():
    """A connection that wasn't used for long isn't trusted."""
    async with posting(always(OK)) as (served, post):
        assert (await post(b"a")).accepted
        before, vars(direct)["KEPT"] = direct.KEPT, 0.0
        try:
            assert (await post(b"b")).accepted
        finally:
            vars(direct)["KEPT"] = before

    assert served.connections == 2


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_hanging_up_instead_of_answering(reply):
    """That is worth another try at once, over another connection."""

    async def hang_up(number, writer):
        writer.write(reply if number == 1 else OK)
        if number == 1:
            writer.close()

    async with posting(hang_up) as (_, post):
        first, second = await post(b"a"), await post(b"a")

    assert (first.again, first.stale, first.unreachable) == (True, True, False)
    assert first.reason == "Server disconnected"
    assert second.accepted


async def test_answer_byte_by_byte():
    """An answer comes in as many pieces as it likes."""

    async def slowly(_, writer):
        for byte in b"HTTP/1.1 100 Continue\r\n\r\n" + OK:
            writer.write(bytes((byte,)))
            await asyncio.sleep(0)

    async with posting(slowly) as (served, post):
        for _ in range(2):
            assert (await post(b"a")).accepted

    assert served.connections == 1


async def test_no_answer_in_time():
    """After its time a post has failed, and its connection isn't used again."""

    async def silent(number, writer):
        if number > 1:
            writer.write(OK)

    async with posting(silent, timeout=0.2) as (served, post):
        first, second = await post(b"a"), await post(b"a")

    assert (first.again, first.reason) == (True, "no answer in time")
    assert not first.stale
    assert second.accepted
    assert served.connections == 2


async def test_early_refusal():
    """An answer that comes before the body is read counts; its connection doesn't."""
    tasks = []

    async def refuse(reader, writer):
        tasks.append(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.close()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    to = Destination(settings("LOGS", f"http://127.0.0.1:{port}", gzip=False))
    line = Direct(to.address, 5.0)
    outcome = await line.post(to.pack((b"x" * 20_000_000,)))
    await line.close()
    listening.close()
    await asyncio.gather(*tasks)

    assert (outcome.too_large, outcome.again) == (True, False)


async def test_nobody_there(free_port):
    """Where nobody listens the reason is said, for a name of two addresses, too."""
    for host in ("127.0.0.1", "localhost"):
        to = Destination(settings("LOGS", f"http://{host}:{free_port}"))
        outcome = await Direct(to.address, 1.0).post(to.pack((b"",)))

        assert (outcome.unreachable, outcome.again) == (True, True)
        assert outcome.reason == "Connection refused"


async def test_cancelled():
    """A post that is cancelled leaves no connection with half an exchange behind."""

    async def silent(number, writer):
        if number > 1:
            writer.write(OK)

    async with posting(silent) as (served, post):
        first = asyncio.ensure_future(post(b"a"))
        while not served.requests:
            await asyncio.sleep(0.01)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await post(b"b")).accepted

    assert served.connections == 2


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("https://127.0.0.1:1", {}),
        ("http://user:secret@127.0.0.1:1", {}),
        ("http://127.0.0.1:1", {"Host": "other"}),
        ("http://127.0.0.1:1", {"Transfer-Encoding": "chunked"}),
        ("http://127.0.0.1:1", {"X": "a\r\nb"}),
    ],
    ids=repr,
)
def test_what_is_left_to_aiohttp(url, headers):
    """TLS, passwords, and headers that mean something for the request."""
    assert Destination(settings("LOGS", url, headers=headers)).address is None
