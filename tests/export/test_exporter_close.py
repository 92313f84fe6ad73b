"""Closing sends what it can, in the time that it has, and counts the rest."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from export.records import flat_log, flat_span, settings

from otel_aiohttp_logs.export.exporter import Exporter
from otel_aiohttp_logs.export.worker import Worker


def timed(exporter, timeout: float) -> float:
    began = time.monotonic()
    exporter.close(timeout)
    return time.monotonic() - began


async def test_sends_the_rest(collector, make_exporter, lines):
    """What waits is sent, however many batches it takes, without waiting for delays."""
    exporter = make_exporter(delay=60, batch_size=100)
    for number in range(950):
        exporter.emit_log(flat_log(str(number)))
    exporter.emit_span(flat_span())

    assert timed(exporter, 5) < 3

    assert [log.body for log in collector.logs] == [str(n) for n in range(950)]
    assert len(collector.spans) == 1
    assert exporter.stats().logs.exported == 950
    assert lines() == []


async def test_after_the_end(collector, make_exporter, lines):
    """What is emitted afterwards is counted as dropped; closing again does nothing."""
    exporter = make_exporter()
    exporter.close()
    exporter.emit_log(flat_log())
    exporter.emit_span(flat_span())
    exporter.close()
    exporter.start()

    assert exporter.flush(1)
    assert exporter.thread_id is None
    for stats in (exporter.stats().logs, exporter.stats().spans):
        assert (stats.emitted, stats.dropped) == (1, {"closed": 1})
    assert collector.attempts == []
    assert lines() == []


async def test_while_another_flushes(collector, make_exporter):
    """A flush that waits is answered when the exporter is closed."""
    exporter = make_exporter(delay=60)
    collector.hang_next(times=10)
    exporter.emit_log(flat_log())
    began = time.monotonic()
    flush = asyncio.create_task(asyncio.to_thread(exporter.flush, 30))
    await collector.wait_until(lambda: len(collector.attempts) == 1)
    await asyncio.to_thread(exporter.close, 0.3)

    assert not await flush
    assert time.monotonic() - began < 5


async def test_without_start(make_exporter):
    """An exporter that was never started counts what it was given."""
    exporter = make_exporter(start=False)
    exporter.emit_log(flat_log())
    exporter.close()

    assert exporter.stats().logs.dropped == {"shutdown": 1}


@pytest.mark.parametrize("timeout", [0.2, 1.0])
async def test_hanging_collector(collector, make_exporter, lines, timeout):
    """
    A Collector that hangs costs the timeout, for all signals and batches together;
    what is lost is counted, and said once for each signal.
    """
    collector.hang_next(times=100)
    exporter = make_exporter(delay=60, batch_size=2)
    for _ in range(5):
        exporter.emit_log(flat_log())
        exporter.emit_span(flat_span())

    took = timed(exporter, timeout)

    assert timeout / 2 < took < timeout + 0.1
    names = [thread.name for thread in threading.enumerate()]
    assert "otel_aiohttp_logs.export" not in names
    for stats in (exporter.stats().logs, exporter.stats().spans):
        assert (stats.emitted, stats.queued) == (5, 0)
        assert stats.dropped == {"shutdown": 5}
    assert [level for level, _ in lines()] == ["WARNING", "WARNING"]
    assert {message.split(" could")[0] for _, message in lines()} == {
        "5 logs",
        "5 spans",
    }


async def test_nobody_there(make_exporter, free_port, lines):
    """Where nobody listens there's nothing to wait for."""
    exporter = make_exporter(f"http://127.0.0.1:{free_port}", delay=60)
    exporter.emit_log(flat_log())

    assert timed(exporter, 5) < 1

    assert exporter.stats().logs.dropped == {"shutdown": 1}
    assert [level for level, _ in lines()] == ["WARNING", "WARNING"]
    assert "1 logs could not be sent" in lines()[1][1]


async def test_nobody_there_for_long(make_exporter, free_port, collector):
    """In the middle of a pause it's the same: one last try, and the end."""
    exporter = make_exporter(f"http://127.0.0.1:{free_port}")
    exporter.emit_log(flat_log())
    await collector.wait_until(lambda: exporter.stats().logs.retried >= 3)

    assert timed(exporter, 5) < 1
    assert exporter.stats().logs.dropped == {"shutdown": 1}


async def test_nobody_at_the_default_endpoint(make_exporter, free_port, lines):
    """At the default endpoint it's quiet as well."""
    exporter = make_exporter(f"http://127.0.0.1:{free_port}", is_default=True, delay=60)
    exporter.emit_log(flat_log())
    exporter.emit_span(flat_span())

    assert timed(exporter, 5) < 1

    assert exporter.stats().logs.dropped == {"shutdown": 1}
    assert [level for level, _ in lines()] == ["INFO"]


async def test_back_just_in_time(collector, make_exporter):
    """A Collector that is back during a pause gets what waits: close tries at once."""
    exporter = make_exporter()
    collector.fail_next(503, retry_after=60)
    exporter.emit_log(flat_log("waits"))
    await collector.wait_until(lambda: len(collector.attempts) == 1)
    exporter.emit_log(flat_log("too"))
    await asyncio.sleep(0.1)

    assert timed(exporter, 5) < 2
    assert [log.body for log in collector.logs] == ["waits", "too"]


async def test_fails_at_first(collector, make_exporter):
    """A Collector that is there, but fails, is tried again until the time is over."""
    exporter = make_exporter(delay=60)
    collector.fail_next(503, times=2, retry_after=1)
    exporter.emit_log(flat_log())

    exporter.close(8)

    assert len(collector.logs) == 1


async def test_keeps_failing(collector, make_exporter):
    """One that only fails is left when the time is over."""
    exporter = make_exporter(delay=60)
    collector.fail_next(503, times=1000)
    exporter.emit_log(flat_log())

    assert timed(exporter, 1) < 1.1
    assert exporter.stats().logs.dropped == {"shutdown": 1}


async def test_refuses(collector, make_exporter):
    """A refusal at the end is a refusal, and the rest is sent."""
    exporter = make_exporter(delay=60, batch_size=2)
    collector.fail_next(400)
    for _ in range(3):
        exporter.emit_log(flat_log())

    exporter.close(5)

    stats = exporter.stats().logs
    assert (stats.exported, stats.dropped) == (1, {"rejected": 2})


async def test_while_others_emit(collector, make_exporter):
    """Threads that go on emitting don't keep it, and every record is counted once."""
    exporter = make_exporter(batch_size=10, queue_size=100)
    stop = threading.Event()
    emitted = []

    def emit() -> None:
        number = 0
        while not stop.is_set():
            exporter.emit_log(flat_log())
            number += 1
            time.sleep(0.0001)
        emitted.append(number)

    threads = [threading.Thread(target=emit) for _ in range(3)]
    for thread in threads:
        thread.start()
    await asyncio.sleep(0.2)
    took = await asyncio.to_thread(timed, exporter, 5)
    stop.set()
    for thread in threads:
        thread.join()

    stats = exporter.stats().logs
    assert took < 2
    assert stats.emitted == sum(emitted)
    assert stats.exported == len(collector.logs)
    assert set(stats.dropped) <= {"closed", "queue_full", "shutdown"}


async def test_from_several_threads(collector, make_exporter):
    """Two threads may close at once."""
    exporter = make_exporter(delay=60)
    exporter.emit_log(flat_log())
    threads = [threading.Thread(target=exporter.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)

    assert len(collector.logs) == 1


async def test_worker_closed_twice(make_exporter):
    """A worker whose thread is gone can be woken and closed without harm."""
    worker = Worker(make_exporter(start=False)._signals, b"")
    worker.close(5)

    assert not worker.flush(5)
    worker.close(5)


async def test_at_once_after_the_start(collector):
    """Started, given a record and closed in a row: the record arrives."""
    for _ in range(10):
        exporter = Exporter(
            resource={},
            traces=settings("TRACES", collector.endpoint),
            logs=settings("LOGS", collector.endpoint),
        )
        exporter.start()
        exporter.emit_log(flat_log())
        exporter.close()

    await collector.wait_for_logs(10)
