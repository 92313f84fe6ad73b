"""What comes back from a Collector is read as aiohttp's client reads it."""

from __future__ import annotations

import pytest

from otel_aiohttp_logs.export.answer import MAX_ANSWER, read_answer

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = {
    "length": (OK + b"Content-Length: 2\r\n\r\nab", 200, b"ab", True),
    "empty": (OK + b"content-length: 0\r\n\r\n", 200, b"", True),
    "no words": (b"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", 503, b"", True),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "close": (
        OK + b"Connection: Close, x\r\nContent-Length: 1\r\n\r\na",
        *(200, b"a", False),
    ),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 200, b"a", False),
    "chunks": (
        OK + b"Transfer-Encoding: Chunked\r\n\r\n3;x=1\r\nabc\r\nA\r\n0123456789\r\n"
        b"0\r\nTrailer: 1\r\n\r\n",
        *(200, b"abc0123456789", True),
    ),
    "no chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, b"", True),
    "continue": (
        b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
        *(200, b"a", True),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole(name):
    """An answer is known at its last byte, and not before; what follows is noticed."""
    received, status, content, stays_open = WHOLE[name]

    for size in range(len(received)):
        assert read_answer(received[:size], ended=False) is None
    answer = read_answer(received, ended=False)
    assert (answer.status, answer.content) == (status, content)
    assert answer.stays_open == stays_open
    more = read_answer(received + b"HTTP/1.1 408", ended=False)
    assert (more.content, more.stays_open) == (content, False)


@pytest.mark.parametrize("name", sorted(set(WHOLE) - {"no body", "continue"}))
def test_cut_off(name):
    """One that ends with its connection before its end is none."""
    received, *_ = WHOLE[name]
    for size in range(len("HTTP/1.1 200\r\n") + 2, len(received) - 1):
        assert read_answer(received[:size], ended=True) is None


def test_until_the_end():
    """Without a length the content ends with the connection."""
    received = b"HTTP/1.1 400 No\r\nX: y\r\n\r\nreason"

    assert read_answer(received, ended=False) is None
    answer = read_answer(received, ended=True)
    assert (answer.status, answer.content, answer.stays_open) == (400, b"reason", False)


@pytest.mark.parametrize(
    "head",
    [b"", b"Content-Length: 9999999\r\n", b"Transfer-Encoding: chunked\r\n"],
    ids=["until the end", "length", "chunked"],
)
def test_too_long(head):
    """Of a long answer the beginning is enough."""
    sent = b"fffff\r\n" + b"x" * MAX_ANSWER if b"chunked" in head else b"x" * MAX_ANSWER
    answer = read_answer(OK + head + b"\r\n" + sent + b"x", ended=False)

    assert (answer.status, len(answer.content)) == (200, MAX_ANSWER)
    assert not answer.stays_open


@pytest.mark.parametrize(
    "received",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5000 + b"no\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200 OK\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"\x00" * (MAX_ANSWER + 1),
        OK + b"X: " + b"y" * MAX_ANSWER,
        OK + b"Content-Length: -1\r\n\r\n",
        OK + "Content-Length: ²\r\n\r\n".encode("latin-1"),
        OK + b"Transfer-Encoding: chunked\r\n\r\nno number\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n",
    ],
    ids=lambda received: repr(received[:30]),
)
def test_no_answer(received):
    """What isn't HTTP is refused, as soon as that is known."""
    with pytest.raises(ValueError, match=r".+"):
        read_answer(received, ended=False)


def test_garbage_that_ends():
    """So is what looks like the beginning of an answer, once nothing follows."""
    assert read_answer(b"HTT", ended=False) is None
    with pytest.raises(ValueError, match="HTTP"):
        read_answer(b"HTT", ended=True)
