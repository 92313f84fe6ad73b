"""One post of one batch by aiohttp's client, and what came of it."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver

from otel_aiohttp_logs.export.answer import MAX_ANSWER
from otel_aiohttp_logs.export.response import reason_given, rejected
from otel_aiohttp_logs.export.retry import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_aiohttp_logs.export.destination import Destination

RETRYABLE = frozenset({429, 502, 503, 504})
LARGE_BODY = 1 << 20


class Outcome(NamedTuple):
    """What came of a post: accepted, to be tried again, or refused for good."""

    accepted: bool
    again: bool = False
    reason: str = ""
    rejected: int = 0
    """Records of an accepted batch that the Collector dropped, see ``reason``."""
    retry_after: float = 0.0
    """Seconds that the Collector asks us to wait."""
    unreachable: bool = False
    """There was no connection: nobody is there at the moment."""
    stale: bool = False
    """A connection kept alive was closed by the other side: try at once."""
    too_large: bool = False


def open_session() -> aiohttp.ClientSession:
    """
    Return the session that all posts share.

    ``trust_env`` is off because aiohttp asks an executor then, which no longer works
    while the interpreter exits. The proxy is looked up in ``Destination`` instead.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=_Resolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


async def post(
    session: aiohttp.ClientSession, destination: Destination, body: bytes
) -> Outcome:
    """Post *body* once and return what came of it. Raises nothing of the network's."""
    try:
        async with session.post(
            destination.url,
            # aiohttp warns of large bytes: they hold a loop up that others use, too.
            data=body if len(body) < LARGE_BODY else io.BytesIO(body),
            headers=destination.headers,
            timeout=destination.timeout,
            ssl=destination.ssl,
            proxy=destination.proxy,
            allow_redirects=False,
        ) as response:
            content = await _read(response)
            return judge(response.status, response.headers, content)
    except aiohttp.ClientConnectorError as error:
        return again(error, unreachable=True)
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        return again(error, stale=True)
    except (asyncio.TimeoutError, aiohttp.ClientError, OSError) as error:
        return again(error)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    # Not response.read(): the answer is as long as the other side likes.
    content = b""
    async for chunk in response.content.iter_chunked(MAX_ANSWER):
        content += chunk
        if len(content) > MAX_ANSWER:
            response.close()
            break
    return content


def judge(status: int, headers: Mapping[str, str], content: bytes) -> Outcome:
    """Return what an answer means; names of *headers* are in small letters."""
    if 200 <= status < 300:
        number, reason = rejected(content)
        return Outcome(accepted=True, rejected=number, reason=reason)
    reason = f"status {status}"
    if "protobuf" in headers.get("content-type", ""):
        reason = f"{reason}: {reason_given(content)[:200]}"
    return Outcome(
        accepted=False,
        again=status in RETRYABLE,
        reason=reason,
        retry_after=retry_after(headers.get("retry-after")),
        too_large=status == 413,
    )


def again(
    error: Exception, *, unreachable: bool = False, stale: bool = False
) -> Outcome:
    return Outcome(
        accepted=False,
        again=True,
        reason=_reason(error),
        unreachable=unreachable,
        stale=stale,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    cause = getattr(error, "os_error", error)
    # aiohttp's own words repeat the address and more, but TLS has numbers of its own.
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError):
        number = cause.errno
        if number is not None and number in errno.errorcode:
            return os.strerror(number)
    return str(cause) or type(error).__name__


class _Resolver(AbstractResolver):
    """
    Looks names up in this very thread, which has nothing better to do.

    asyncio's way is an executor: while the interpreter exits it starts no threads
    any more, and one that is stuck in a look-up would hold the exit up.
    """

    async def resolve(  # type: ignore[override]  # aiohttp 3.9 returns plain dicts
        self, host: str, port: int = 0, family: int = socket.AF_INET
    ) -> list[dict[str, object]]:
        # As bytes: of text Python imports IDNA for it, which yarl has applied already.
        name = host.encode()
        return [
            {
                "hostname": host,
                "host": address[0],
                "port": address[1],
                "family": kind,
                "proto": protocol,
                "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            }
            for kind, _, protocol, _, address in socket.getaddrinfo(
                name, port, family=family, type=socket.SOCK_STREAM
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""
