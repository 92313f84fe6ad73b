"""
Load over keep-alive connections, made as cheaply as Python can.

aiohttp's own client takes longer for a request than the server that is measured. Here
a request is the same few bytes each time, and an answer is complete when its last
bytes are there.
"""

from __future__ import annotations

import random
import selectors
import socket
import time
from collections import deque
from contextlib import contextmanager
from itertools import cycle

END = b"\r\n\r\nserved"
REQUEST = (
    b"GET %s HTTP/1.1\r\n"
    b"Host: shop.example:8080\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    b"Accept: */*\r\n\r\n"
)
STUCK = 20.0


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._got = b""

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
        self._got += some
        if not self._got.endswith(END):
            return False
        if not self._got.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(self._got.decode())
        return True


@contextmanager
def connections(port, number):
    opened = [Connection(port) for _ in range(number)]
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        try:
            yield opened, selector
        finally:
            for connection in opened:
                connection.socket.close()


def as_fast_as_it_goes(port, path, seconds, number=16):
    """
    Keep *number* requests on their way, for about *seconds*: to each path in turn.

    Returns the seconds that each answer took, and those that it took in all.
    """
    paths = [path] if isinstance(path, str) else path
    requests = cycle([REQUEST % one.encode() for one in paths])
    took = []
    with connections(port, number) as (opened, selector):
        start = time.perf_counter()
        until = start + seconds
        for connection in opened:
            connection.ask(next(requests), start)
        waiting = number
        while waiting:
            for connection in _ready(selector):
                if not connection.answered():
                    continue
                now = time.perf_counter()
                took.append(now - connection.sent_at)
                if now < until:
                    connection.ask(next(requests), now)
                else:
                    waiting -= 1
        return took, time.perf_counter() - start


def at_a_rate(port, path, seconds, rate, number=64):
    """
    Send *rate* requests a second at random moments, however long the answers take.

    Returns the seconds that each answer took. If all connections are taken, the wait
    for one counts.
    """
    request = REQUEST % path.encode()
    rng = random.Random(1)
    took = []
    with connections(port, number) as (opened, selector):
        idle, late = list(opened), deque()
        start = now = time.perf_counter()
        due = start
        while due < start + seconds or late or len(idle) < number:
            while due <= now and due < start + seconds:
                if idle:
                    idle.pop().ask(request, time.perf_counter())
                else:
                    late.append(due)
                due += rng.expovariate(rate)
            rest = max(0.0, due - now) if due < start + seconds else STUCK
            for connection in _ready(selector, rest):
                if connection.answered():
                    took.append(time.perf_counter() - connection.sent_at)
                    if late:
                        connection.ask(request, late.popleft())
                    else:
                        idle.append(connection)
            now = time.perf_counter()
    return took


def _ready(selector, timeout=STUCK):
    ready = selector.select(timeout)
    if not ready and timeout >= STUCK:
        msg = f"no answer in {STUCK} s"
        raise TimeoutError(msg)
    return [key.data for key, _ in ready]
