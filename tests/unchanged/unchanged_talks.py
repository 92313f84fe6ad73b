"""What the clients say, byte by byte: one conversation for each kind of request."""

from __future__ import annotations

import struct
from typing import NamedTuple


class Talk(NamedTuple):
    status: bytes
    """What the first answer's status line begins with, after the version."""
    parts: tuple[bytes | int, ...]
    """Bytes to send; a number waits for as many bytes of the answers first."""
    answers: int = 1


def get(path: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: shop", *headers]
    if version == "1.1" and not any(line.startswith("Connection") for line in headers):
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "surrogateescape")


def keep(path: str) -> bytes:
    return get(path, "Connection: keep-alive")


def one(status: str, path: str, *headers: str, **line: str) -> Talk:
    return Talk(status.encode(), (get(path, *headers, **line),))


def frame(opcode: int, data: bytes) -> bytes:
    """A masked frame of a client, its mask always the same."""
    mask = b"\x01\x02\x03\x04"
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
    return bytes([0x80 | opcode, 0x80 | len(data)]) + mask + masked


def post(path: str, body: bytes, *headers: str) -> bytes:
    length = f"Content-Length: {len(body)}"
    return get(path, length, *headers, method="POST") + body


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


_WS = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==",
)
_FORM = (
    b"--xx\r\nContent-Disposition: form-data; name=a\r\n\r\none\r\n"
    b'--xx\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\nabc\r\n'
    b"--xx--\r\n"
)
_UPLOAD = get("/upload", "Content-Length: 20", method="POST")
_EXPECTING = get("/upload", "Expect: 100-continue", "Content-Length: 2", method="POST")
_CHUNKED = get("/upload", "Transfer-Encoding: chunked", method="POST")

TALKS = {
    "plain": one("200", "/plain/you"),
    "plain, HTTP/1.0": one("200", "/plain/you", version="1.0"),
    "HTTP/1.0 kept alive": Talk(
        b"200",
        (
            get("/plain/1", "Connection: keep-alive", version="1.0"),
            get("/plain/2", version="1.0"),
        ),
        2,
    ),
    "HEAD": one("200", "/plain/you", method="HEAD"),
    "HEAD of a stream": one("200", "/stream", method="HEAD"),
    "OPTIONS": one("405", "/plain/you", method="OPTIONS"),
    "json": one("200", "/json?a=1&b=%C3%A4"),
    "404": one("404", "/nowhere"),
    "405": one("405", "/upload"),
    "method that the parser knows not": one("400", "/plain/you", method="BREW"),
    "method that nobody handles": one("405", "/plain/you", method="PROPFIND"),
    "redirect": one("302", "/redirect"),
    "redirect of normalize_path": one("308", "//plain//you"),
    "403": one("403", "/raised/403"),
    "410": one("410", "/raised/410"),
    "503": one("503", "/raised/503"),
    "stream": one("200", "/stream"),
    "stream, HTTP/1.0": one("200", "/stream", version="1.0"),
    "stream of known length": one("200", "/length"),
    "generator": one("200", "/generator"),
    "gzip": one("200", "/compressed", "Accept-Encoding: gzip"),
    "deflate": one("200", "/compressed", "Accept-Encoding: deflate"),
    "not compressed": one("200", "/compressed", "Accept-Encoding: identity"),
    "cookies": one("200", "/cookies", "Cookie: a=1; b=2"),
    "an id of the application's own": one("200", "/own-id"),
    "nothing": one("500", "/none"),
    "no response": one("500", "/text"),
    "error": one("500", "/error"),
    "error as text/html": one("500", "/error", "Accept: text/html"),
    "error of a middleware": one("500", "/middleware-error"),
    "answer of a middleware": one("202", "/middleware-answer"),
    "timeout": one("504", "/timeout"),
    "error in the middle": one("200", "/late"),
    "view": one("200", "/view"),
    "view, no such method": one("405", "/view", method="DELETE"),
    "sub-application": one("200", "/sub/7"),
    "404 of a sub-application": one("404", "/sub/7/8"),
    "static": one("200", "/static/file.txt"),
    "static HEAD": one("200", "/static/file.txt", method="HEAD"),
    "static index": one("200", "/static/"),
    "static 404": one("404", "/static/none.txt"),
    "static outside": one("404", "/static/../../etc/passwd"),
    "static range": one("206", "/static/file.txt", "Range: bytes=2-5"),
    "static range from the end": one("206", "/static/file.txt", "Range: bytes=-3"),
    "static bad range": one("416", "/static/file.txt", "Range: bytes=999-"),
    "static 304": one(
        "304",
        "/static/file.txt",
        "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
    ),
    "static 412": one("412", "/static/file.txt", 'If-Match: "other"'),
    "static gzip": one("200", "/static/zipped.txt", "Accept-Encoding: gzip"),
    "upload": Talk(b"200", (post("/upload", b"x" * 1000),)),
    "upload in pieces": Talk(b"200", (_UPLOAD, b"y" * 10, b"z" * 10)),
    "chunked upload": Talk(b"200", (_CHUNKED, chunked(b"abc", b"defg"))),
    "upload too large": Talk(b"413", (post("/upload", b"x" * (1 << 20) + b"xx"),)),
    "form": Talk(
        b"200",
        (post("/form", _FORM, "Content-Type: multipart/form-data; boundary=xx"),),
    ),
    "100-continue": Talk(
        b"100",
        (_EXPECTING, 25, b"ab"),
        2,
    ),
    "417": one("417", "/upload", "Expect: something", method="POST"),
    "answer before the upload": Talk(
        b"413", (get("/early", "Content-Length: 100000", method="POST"), b"x" * 10, 15)
    ),
    "pipelined": Talk(
        b"200",
        (keep("/plain/1") + keep("/stream") + keep("/nowhere") + get("/plain/4"),),
        4,
    ),
    "pipelined after an error": Talk(b"500", (keep("/error") + get("/plain/2"),)),
    "one after the other": Talk(b"200", (keep("/plain/1"), 100, get("/plain/2")), 2),
    "no request": Talk(b"400", (b"garbage\r\n\r\n",)),
    "bad header": Talk(b"400", (b"GET / HTTP/1.1\r\nHost: shop\r\nno colon\r\n\r\n",)),
    "header too long": Talk(b"400", (get("/plain/you", "X-Long: " + "x" * 9000),)),
    "no host": Talk(b"200", (b"GET /plain/you HTTP/1.0\r\n\r\n",)),
    "bad host": Talk(b"200", (get("/plain/you").replace(b"shop", b"foo:99999"),)),
    "latin-1 in a header": one("200", "/plain/you", "X-Name: \xe4\xf6\xfc"),
    "no UTF-8 in a header": one("200", "/plain/you", "X-Name: \udcff\udcfe"),
    "path of two languages": one("200", "/plain/%E4%BD%A0%20%2F%00"),
    "absolute path": one("200", "http://shop/plain/you"),
    "websocket": Talk(
        b"101",
        (
            get("/ws", *_WS, "Sec-WebSocket-Protocol: chat"),
            100,
            frame(1, b"hello"),
            frame(2, b"\x00\x01\x02"),
            frame(9, b"ping"),
            frame(8, struct.pack("!H", 1000) + b"bye"),
        ),
    ),
    "websocket closed by the server": Talk(
        b"101", (get("/ws", *_WS), 100, frame(1, b"close"), frame(8, b"\x0f\xa0"))
    ),
    "no websocket": one("400", "/ws"),
    "websocket of another version": one(
        "400", "/ws", *_WS[:2], "Sec-WebSocket-Version: 1", _WS[3]
    ),
}
