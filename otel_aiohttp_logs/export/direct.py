"""
Posts over a connection of its own, in plain HTTP.

That's how most Collectors are reached, and each post of aiohttp's client takes longer
than all else that is done for its batch: see ``docs/performance.md``. TLS, proxies and
passwords in a URL are left to the client, in ``transport``.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, TypeAlias

from otel_aiohttp_logs.export.answer import Answer, read_answer
from otel_aiohttp_logs.export.transport import Outcome, again, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_aiohttp_logs.export.destination import Address

_Found: TypeAlias = "tuple[int, int, int, str, Any]"
KEPT = 15.0
"""Seconds for which a connection is kept that isn't used, as aiohttp does."""


class Direct:
    """One connection to *address*, opened for the first post that needs it."""

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._line: _Line | None = None

    async def post(self, request: bytes) -> Outcome:
        """Send *request*, return what came of it. Raises nothing of the network's."""
        until = asyncio.get_running_loop().time() + self._timeout
        try:
            line = await self._open()
        except asyncio.TimeoutError as error:
            return again(error)
        except (OSError, UnicodeError) as error:  # a name that is none, too
            return again(error, unreachable=True)
        try:
            answer = await line.exchange(request, until)
        except (asyncio.TimeoutError, ValueError) as error:
            return again(error)
        except OSError as error:
            return again(error, stale=True)
        return judge(answer.status, answer.headers, answer.content)

    async def close(self) -> None:
        if self._line is not None:
            self._line.close()
            await asyncio.sleep(0)  # until the loop has closed the socket

    async def _open(self) -> _Line:
        """Return the connection, a new one if there's none to be used any more."""
        if self._line is not None:
            if self._line.is_usable():
                return self._line
            self._line.close()
        host, port = self._address.host, self._address.port
        self._line = await _first_of(_addresses(host, port), self._timeout)
        return self._line


def _addresses(host: str, port: int) -> Sequence[_Found]:
    """
    Return where *host* is: an address itself, or the name of some.

    Names are looked up in this very thread, see ``_Resolver`` in ``transport``. For an
    address nothing is asked: a look-up takes locks, for which a child that is forked
    at that moment would wait for good.
    """
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:  # of the other one, or a name
            continue
        return [(family, socket.SOCK_STREAM, 0, "", (host, port))]
    # As bytes, or a codec for other than ASCII would be imported, which it isn't.
    return socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)


async def _first_of(found: Sequence[_Found], timeout: float) -> _Line:
    """Return a connection to the first address that takes one."""
    failed: Exception = OSError("no address")
    for family, kind, protocol, _, address in found:
        try:
            sock = socket.socket(family, kind, protocol)
            return await _line_to(sock, address, timeout / len(found))
        except (OSError, asyncio.TimeoutError) as error:  # noqa: PERF203 - then the next
            failed = error
    raise failed


async def _line_to(sock: socket.socket, address: Any, timeout: float) -> _Line:
    loop = asyncio.get_running_loop()
    try:
        sock.setblocking(False)
        await asyncio.wait_for(loop.sock_connect(sock, address), timeout)
        _, line = await loop.create_connection(_Line, sock=sock)
    except BaseException:
        sock.close()
        raise
    return line


class _Line(asyncio.Protocol):
    """One request after the other, each with its answer."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._received = b""
        self._used_at = 0.0

    def is_usable(self) -> bool:
        idle = self._loop.time() - self._used_at
        return self._transport is not None and idle < KEPT

    async def exchange(self, request: bytes, until: float) -> Answer:
        """Send *request* and return its answer; raises what the socket does."""
        assert self._transport is not None
        self._answer = self._loop.create_future()
        self._received = b""
        timer = self._loop.call_at(until, self._fail, asyncio.TimeoutError())
        self._transport.write(request)
        stays_open = False
        try:
            answer = await self._answer
            # An early answer leaves a request behind that isn't whole.
            unsent = self._transport and self._transport.get_write_buffer_size()
            stays_open = answer.stays_open and not unsent
            return answer
        finally:
            timer.cancel()
            self._answer = None
            self._used_at = self._loop.time()
            if not stays_open:
                self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._used_at = self._loop.time()

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # nobody has asked
            self.close()
            return
        self._received += data
        self._look(ended=False)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._look(ended=True)
        self._fail(error or ConnectionResetError("Server disconnected"))

    def _look(self, *, ended: bool) -> None:
        if self._answer is None or self._answer.done() or not self._received:
            return
        try:
            answer = read_answer(self._received, ended=ended)
        except ValueError as error:
            self._answer.set_exception(error)
            return
        if answer is not None:
            self._answer.set_result(answer)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
