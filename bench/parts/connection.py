"""One keep-alive connection of the load, that has one request on its way at a time."""

from __future__ import annotations

import socket

END = b"\r\n\r\nserved"
SERVED = b"HTTP/1.1 200 "
FAILED = b"HTTP/1.1 500 "
TROUBLE = b"trouble"  # aiohttp's answer for an exception ends with it


class Connection:
    def __init__(self, port):
        self._port = port
        self.sent_at = 0.0
        self._got = b""
        self._open()

    def _open(self):
        self.socket = socket.create_connection(("127.0.0.1", self._port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request, sent_at):
        self.sent_at = sent_at
        self._got = b""
        self.socket.sendall(request)

    def answered(self):
        """Read what has come, and tell whether it's the whole answer."""
        some = self.socket.recv(4096)
        if not some:
            msg = "the service closed a connection"
            raise ConnectionError(msg)
        got = self._got = self._got + some
        if got.endswith(END) and got.startswith(SERVED):
            return True
        if got.startswith(FAILED):
            return TROUBLE in got
        if got.endswith(END):
            raise ConnectionError(got.decode())
        return False

    def renew(self, pool):
        """Open it again after an answer that ends the connection, and tell whether."""
        if self._got.startswith(SERVED):
            return False
        self.socket.close()
        self._open()
        pool.add(self)
        return True
