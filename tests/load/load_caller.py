"""The caller: all kinds of requests in one shuffled order, many at a time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from load_kind import Kind

AT_A_TIME = 64
LONGEST = 20.0


@dataclass
class Call:
    """One request, and what its caller knows of it."""

    number: str
    kind: Kind
    trace_id: str | None
    """The caller's, None if it sent none."""
    url: str
    status: int | None = None
    request_id: str | None = None
    """The one that came back, None if no header did."""
    headers: dict[str, str] = field(default_factory=dict)

    def answered(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.request_id = response.headers.get("X-Request-ID")


class Caller:
    def __init__(self, port: int) -> None:
        self._port = port
        connector = aiohttp.TCPConnector(limit=AT_A_TIME)
        self.session = self._session(connector)
        self.few = self._session(aiohttp.TCPConnector(limit=4))
        self._first: tuple[Call, asyncio.Future[None]] | None = None

    async def make(self, calls: Iterable[Call]) -> None:
        """Make all *calls*, ``AT_A_TIME``, and fail if one takes too long."""
        waiting = iter(calls)

        async def one_after_another():
            for call in waiting:
                await asyncio.wait_for(call.kind.ask(self, call), LONGEST)

        await asyncio.gather(*(one_after_another() for _ in range(AT_A_TIME)))

    async def close(self) -> None:
        await self.session.close()
        await self.few.close()

    async def raw(self, call: Call, *headers: str, until: bytes = b"") -> None:
        """Ask on a connection of its own; go away after *until*, or after all."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(_head(call, "Connection: close", *headers))
        if until:
            await reader.readuntil(until)
        else:
            _note(call, await reader.read())
        writer.close()

    async def pipelined(self, call: Call) -> None:
        """Ask together with the next that comes: both in one packet."""
        if self._first is None:
            taken = asyncio.get_running_loop().create_future()
            self._first = call, taken
            await asyncio.wait({taken}, timeout=1)
            if not taken.done():  # it's the last one
                self._first = None
                await self.raw(call)
            return
        (first, taken), self._first = self._first, None
        taken.set_result(None)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(_head(first) + _head(call, "Connection: close"))
        answers = (await reader.read()).split(b"HTTP/1.1 ")
        for asked, answer in zip((first, call), answers[1:], strict=True):
            _note(asked, b"HTTP/1.1 " + answer)
        writer.close()

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            f"http://127.0.0.1:{self._port}", connector=connector
        )


def _head(call: Call, *headers: str) -> bytes:
    lines = [
        f"{call.kind.method} {call.url} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in call.headers.items()),
        *headers,
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _note(call: Call, answer: bytes) -> None:
    head, _, _ = answer.decode().partition("\r\n\r\n")
    status, *headers = head.split("\r\n")
    if status:
        call.status = int(status.split()[1])
    named = dict(header.lower().split(": ", 1) for header in headers)
    call.request_id = named.get("x-request-id")


def shuffled_calls(kinds: Sequence[Kind], number: int, seed: int) -> list[Call]:
    """Return *number* calls of all *kinds* alike; every second has a trace id."""
    chance = random.Random(seed)
    calls = []
    for n in range(number):
        kind = kinds[n % len(kinds)]
        trace_id = f"{chance.getrandbits(128) | 1:032x}"
        call = Call(str(n), kind, None, kind.path_of(str(n)))
        if n // len(kinds) % 2:
            call.trace_id = trace_id
            call.headers["traceparent"] = f"00-{trace_id}-{'5' * 16}-01"
        calls.append(call)
    chance.shuffle(calls)
    return calls
