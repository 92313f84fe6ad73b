"""A raw client: says what a talk says, and returns all that it got, byte by byte."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unchanged_talks import Talk

TIMEOUT = 10
_ID = re.compile(rb"^X-Request-ID: ([^\r\n]*)\r\n", re.MULTILINE)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_DATE = re.compile(rb"^Date: [^\r\n]*\r\n", re.MULTILINE)


async def say(port: int, talk: Talk) -> bytes:
    """Return what came until the server closed the connection."""
    return await asyncio.wait_for(_say(port, talk), TIMEOUT)


async def _say(port: int, talk: Talk) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        for part in talk.parts:
            if isinstance(part, int):
                while len(got) < part:
                    received = await reader.read(65536)
                    assert received, f"closed after {got!r}"
                    got += received
            else:
                writer.write(part)
                await writer.drain()
        while received := await reader.read(65536):
            got += received
    except ConnectionError:  # closed while we were still sending
        pass
    finally:
        writer.close()
    return got


def without_ids(answers: bytes) -> tuple[bytes, list[bytes]]:
    """Return *answers* without their dates and ids, and these ids."""
    return _ID.sub(b"", _DATE.sub(b"Date: -\r\n", answers)), _ID.findall(answers)


def statuses(answers: bytes) -> list[bytes]:
    """Return the status of each answer."""
    return _STATUS.findall(answers)
