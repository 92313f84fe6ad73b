"""
Load over keep-alive connections, made as cheaply as Python can.

aiohttp's own client takes longer for a request than the server that is measured. Here
a request is the same few bytes each time, and an answer is complete when its last
bytes are there. What one slice of load found is an ``Answers``.
"""

from __future__ import annotations

import gc
import random
import select
import time
from array import array
from collections import deque
from contextlib import contextmanager
from itertools import cycle
from typing import NamedTuple

from parts.connection import Connection

REQUEST = (
    b"GET %s HTTP/1.1\r\n"
    b"Host: shop.example:8080\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    b"Accept: */*\r\n\r\n"
)
STUCK = 20.0


class Answers(NamedTuple):
    latencies: array[float]
    """The seconds that each answer took."""
    seconds: float
    """What they took in all."""
    busy: float
    """The share of it that the generator itself had to work: 1 is its limit."""
    failed: int
    """How many were no 200."""

    @property
    def rate(self):
        return len(self.latencies) / self.seconds


class Pool:
    """A number of connections that stay open, and which of them have an answer."""

    def __init__(self, port, number):
        self.opened = [Connection(port) for _ in range(number)]
        self._epoll = select.epoll()
        self._by_number = {}
        for connection in self.opened:
            self.add(connection)

    def add(self, connection):
        number = connection.socket.fileno()
        self._by_number[number] = connection
        self._epoll.register(number, select.EPOLLIN)

    def ready(self, timeout):
        # epoll counts in milliseconds, which is long for a rate; select doesn't.
        if timeout < STUCK:
            select.select([self._epoll], (), (), timeout)
            found = self._epoll.poll(0)
        else:
            found = self._epoll.poll(timeout)
        by_number = self._by_number
        return [by_number[number] for number, _ in found]

    def close(self):
        self._epoll.close()
        for connection in self.opened:
            connection.socket.close()


@contextmanager
def connections(port, number):
    pool = Pool(port, number)
    try:
        yield pool.opened, pool
    finally:
        pool.close()


@contextmanager
def _no_pauses():
    """Keep the garbage collector of the generator out of the latencies."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def as_fast_as_it_goes(port, path, seconds, number=16):
    """Keep *number* requests on their way for *seconds*, to each path in turn."""
    with connections(port, number) as (_, pool):
        return saturate(pool, path, seconds)


def saturate(pool, path, seconds):
    """Keep a request on its way on each connection."""
    requests = cycle(_requests(path))
    latencies, failed = array("d"), 0
    clock, took = time.perf_counter, latencies.append
    with _no_pauses():
        start, used = clock(), time.process_time()
        until = start + seconds
        for connection in pool.opened:
            connection.ask(next(requests), clock())
        left = len(pool.opened)
        while left:
            for connection in _ready(pool):
                if not connection.answered():
                    continue
                now = clock()
                took(now - connection.sent_at)
                failed += connection.renew(pool)
                if now < until:
                    connection.ask(next(requests), now)
                else:
                    left -= 1
        seconds, used = clock() - start, time.process_time() - used
    return Answers(latencies, seconds, used / seconds, failed)


def at_a_rate(port, path, seconds, rate, number=64):
    """
    Send *rate* requests a second at random moments, however long the answers take.

    If all connections are taken, the wait for one counts.
    """
    with connections(port, number) as (_, pool):
        return pace(pool, path, seconds, rate)


def pace(pool, path, seconds, rate):
    requests = cycle(_requests(path))
    latencies, failed = array("d"), 0
    clock, late, idle = time.perf_counter, deque(), list(pool.opened)
    with _no_pauses():
        start, used = clock(), time.process_time()
        moments = _moments(start, seconds, rate)
        due = next(moments, None)
        while due or late or len(idle) < len(pool.opened):
            now = clock()
            while due and due <= now:
                if idle:
                    idle.pop().ask(next(requests), clock())
                else:
                    late.append(due)
                due = next(moments, None)
            for connection in _ready(pool, max(0.0, due - now) if due else STUCK):
                if connection.answered():
                    latencies.append(clock() - connection.sent_at)
                    failed += connection.renew(pool)
                    if late:
                        connection.ask(next(requests), late.popleft())
                    else:
                        idle.append(connection)
        seconds, used = clock() - start, time.process_time() - used
    return Answers(latencies, seconds, used / seconds, failed)


def _requests(path):
    paths = [path] if isinstance(path, str) else path
    return [REQUEST % one.encode() for one in paths]


def _moments(start, seconds, rate):
    """Return the moments to send at: Poisson's, and the same ones each time."""
    rng = random.Random(1)
    moments, now = [], start
    while now < start + seconds:
        moments.append(now)
        now += rng.expovariate(rate)
    return iter(moments)


def _ready(pool, timeout=STUCK):
    ready = pool.ready(timeout)
    if not ready and timeout >= STUCK:
        msg = f"no answer in {STUCK} s"
        raise TimeoutError(msg)
    return ready
