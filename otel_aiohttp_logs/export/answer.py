"""An HTTP/1 answer, as far as a Collector's one goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ANSWER = 64 << 10
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: |$)")
_FIRST = re.compile(rb"HTTP/1\.1 1\d\d ")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")
_NO_BODY = frozenset({204, 304})


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    """By name in small letters; of several the last."""
    content: bytes
    stays_open: bool
    """The connection may be used again."""


def read_answer(received: bytes, *, ended: bool) -> Answer | None:
    """
    Return the answer that *received* consists of, None while there's more to come.

    *ended* says that no more will come. An answer is as long as the other side likes:
    what is beyond ``MAX_ANSWER`` is left, with the connection. Raises ``ValueError``
    for what isn't HTTP.
    """
    while _FIRST.match(received):  # the answer comes after that
        _, blank, received = received.partition(b"\r\n\r\n")
        if not received:
            return None
    head, blank, rest = received.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    start = _STATUS.match(first)
    if not start and (b"\r\n" in received or ended or len(received) > MAX_ANSWER):
        msg = "no answer in HTTP"
        raise ValueError(msg)
    if not start or not blank:
        if len(received) > MAX_ANSWER:
            msg = "an answer without an end of its headers"
            raise ValueError(msg)
        return None
    status = int(start[2])
    headers = dict(map(_header, lines))
    content, left = _content(status, headers, rest)
    if content is None:
        has_end = "content-length" in headers or "transfer-encoding" in headers
        if len(rest) <= MAX_ANSWER and (has_end or not ended):
            return None
        content, left = rest[:MAX_ANSWER], b"more"
    closes = "close" in headers.get("connection", "").lower() or start[1] == b"0"
    return Answer(status, headers, content, stays_open=not (closes or left or ended))


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.strip().lower(), value.strip()


def _content(
    status: int, headers: Mapping[str, str], rest: bytes
) -> tuple[bytes | None, bytes]:
    """Return the content and what follows it, None for one that isn't whole."""
    if status in _NO_BODY:
        return b"", rest
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _joined(rest)
    length = headers.get("content-length")
    if length is None:
        return None, b""
    if not (length.isascii() and length.isdigit()):
        msg = "an answer without a length"
        raise ValueError(msg)
    size = int(length)
    return (rest[:size], rest[size:]) if len(rest) >= size else (None, b"")


def _joined(rest: bytes) -> tuple[bytes | None, bytes]:
    """Return the content that came in chunks, and what follows it."""
    content = b""
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end:
            return None, b""
        if not (length := _SIZE.match(line)):
            msg = "a chunk without a size"
            raise ValueError(msg)
        size = int(length[0], 16)
        if size == 0:
            _, end, rest = (b"\r\n" + rest).partition(b"\r\n\r\n")
            return (content, rest) if end else (None, b"")
        if len(rest) < size + 2:
            return None, b""
        content += rest[:size]
        rest = rest[size + 2 :]
