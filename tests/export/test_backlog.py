"""The queue between the threads that emit and the one that sends."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time

import pytest
from export.records import flat_log, flat_span

from otel_aiohttp_logs.export.backlog import MAX_WEIGHT, Backlog
from otel_aiohttp_logs.export.weight import weigh_log, weigh_span
from otel_aiohttp_logs.flat import FlatEvent, FlatLink

MEBIBYTE = 1 << 20
STACK = FlatEvent(0, "exception", {"stacktrace": "x" * MEBIBYTE})
LINK = FlatLink(1, 1, 0, "", {})


def backlog(queue_size: int = 1000, batch_size: int = 10, weigh=weigh_log):
    return Backlog(queue_size, batch_size, weigh)


def test_batches():
    """Records are taken in order, in batches, and are in hand until settled."""
    queue = backlog(batch_size=3)
    logs = [flat_log(str(number)) for number in range(7)]
    for log in logs:
        queue.put(log)

    batches = [queue.take() for _ in range(4)]

    assert batches == [logs[:3], logs[3:6], logs[6:], []]
    assert queue.stats().queued == 7
    queue.exported(4)
    queue.dropped(2, "rejected")
    stats = queue.stats()
    assert (stats.exported, stats.queued, stats.dropped) == (4, 1, {"rejected": 2})
    assert stats.emitted == 7


def test_the_newest_is_dropped():
    """A full queue keeps what it has, and counts what it refuses."""
    queue = backlog(queue_size=2)
    for number in range(5):
        queue.put(flat_log(str(number)))

    assert [log.body for log in queue.take()] == ["0", "1"]
    for _ in range(2):
        assert queue.stats().dropped == {"queue_full": 3}
        assert queue.stats().emitted == 5


def test_weight_of_what_is_taken_is_free_again():
    """A queue that is never empty doesn't fill up with what has long left."""
    queue = backlog(batch_size=1)
    queue.put(flat_log("stays"))
    for _ in range(3 * MAX_WEIGHT // MEBIBYTE):
        queue.put(flat_log("x" * MEBIBYTE))
        queue.take()

    assert queue.stats().dropped == {}


@pytest.mark.parametrize(
    ("record", "weigh", "least"),
    [
        (flat_log("x" * MEBIBYTE), weigh_log, MEBIBYTE),
        (flat_log(attributes={"a": "x" * MEBIBYTE}), weigh_log, MEBIBYTE),
        (flat_log(attributes={"a": ["x" * MEBIBYTE] * 3}), weigh_log, 3 * MEBIBYTE),
        (flat_log(attributes={"a": {"b": b"x" * MEBIBYTE}}), weigh_log, MEBIBYTE),
        (flat_log(attributes={"a": list(range(100_000))}), weigh_log, MEBIBYTE),
        (flat_span(attributes={"a": "x" * MEBIBYTE}), weigh_span, MEBIBYTE),
        (flat_span(events=[STACK, STACK]), weigh_span, 2 * MEBIBYTE),
        (flat_span(links=[LINK] * 1000), weigh_span, MEBIBYTE // 2),
    ],
)
def test_weight(record, weigh, least):
    """Whatever is large in a record counts."""
    assert least <= weigh(record) < 10 * least


def test_weighing_a_monster_takes_no_time():
    """A structure that contains itself many times is estimated, not walked through."""
    loop: list = []
    loop += [loop] * 1000
    began = time.perf_counter()
    weigh_log(flat_log(attributes={"loop": loop}))

    assert time.perf_counter() - began < 2


def test_one_wake_up_for_each_batch():
    """The sender is woken when a batch is complete, and not again until it looked."""
    woken = []
    queue = backlog(batch_size=3)
    queue.wake = lambda: woken.append(len(queue))
    for _ in range(4):
        queue.put(flat_log())
    assert woken == []

    queue.rearm()
    assert woken == [4]
    for _ in range(9):
        queue.put(flat_log())
    assert woken == [4]
    while queue.take():
        pass
    queue.rearm()
    for _ in range(9):
        queue.put(flat_log())
    assert woken == [4, 3]


def test_half_a_large_batch_is_enough():
    """What is there by then is sent; a batch that is due holds twice as much."""
    woken = []
    queue = backlog(batch_size=512)
    queue.wake = lambda: woken.append(len(queue))
    queue.rearm()
    for _ in range(255):
        queue.put(flat_log())
    assert (woken, queue.has_batch()) == ([], False)

    queue.put(flat_log())
    assert (woken, queue.has_batch()) == ([256], True)
    for _ in range(400):
        queue.put(flat_log())
    assert [len(queue.take()), len(queue.take())] == [512, 144]


def test_put_within_put():
    """
    A destructor and a signal handler may emit in the middle of another emission, and
    while the counts are read.
    """
    queue = backlog(queue_size=10**9)
    done = []

    class Chatty:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            queue.put(flat_log("destructor"))
            done.append("destructor")

    def handler(*_) -> None:
        queue.put(flat_log("signal"))
        queue.stats()
        done.append("signal")

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    number = 0
    try:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            Chatty()
            queue.put(flat_log())
            queue.stats()
            number += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    gc.collect()

    assert {"destructor", "signal"} <= set(done)
    assert queue.stats().emitted == number + len(done)


def test_counts_from_many_threads():
    """Refusals that many threads count at once are all counted."""
    queue = backlog(queue_size=1)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def put() -> None:
        for _ in range(5000):
            queue.put(flat_log())

    threads = [threading.Thread(target=put) for _ in range(8)]
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            queue.stats()
    finally:
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()

    assert queue.stats().emitted == 40_000


def test_abandoned():
    """What is given up is counted once, even if its sender comes back later."""
    queue = backlog(batch_size=2)
    for _ in range(5):
        queue.put(flat_log())
    queue.take()
    queue.close()
    queue.put(flat_log())

    assert queue.abandon("shutdown") == 5
    queue.exported(2)
    assert queue.abandon("shutdown") == 0
    stats = queue.stats()
    assert stats.dropped == {"shutdown": 5, "closed": 1}
    assert (stats.emitted, stats.exported, stats.queued) == (6, 0, 0)
