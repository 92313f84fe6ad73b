"""Records that are emitted arrive, in batches, once, from whatever thread."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path

import pytest
from export.records import flat_log, flat_span
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_aiohttp_logs.export.stats import SignalStats


async def test_spans_and_logs_arrive(collector, make_exporter):
    """A span and a log record arrive as they were, with the resource and scope."""
    exporter = make_exporter()
    span, log = flat_span("GET /a"), flat_log("hello")
    exporter.emit_span(span)
    exporter.emit_log(log)

    (got_span,) = await collector.wait_for_spans()
    (got_log,) = await collector.wait_for_logs()

    assert got_span.name == "GET /a"
    assert got_span.trace_id == f"{span.trace_id:032x}"
    assert got_span.scope == "otel_aiohttp_logs"
    assert got_log.body == "hello"
    assert got_log.span_id == f"{log.span_id:016x}"
    assert got_log.scope == "shop"
    assert got_span.resource == got_log.resource
    assert got_log.resource == {"service.name": "shop", "process.pid": 1}


async def test_requests(collector, make_exporter):
    """Each signal goes to its path, compressed, with our name and the set headers."""
    exporter = make_exporter(headers={"X-Scope-OrgID": "42"}, gzip=True)
    exporter.emit_log(flat_log("x" * 5000))
    exporter.emit_span(flat_span())
    await collector.wait_for_logs()
    await collector.wait_for_spans()

    assert {request.path for request in collector.requests} == {
        "/v1/logs",
        "/v1/traces",
    }
    for request in collector.requests:
        assert request.headers["Content-Type"] == "application/x-protobuf"
        assert request.headers["Content-Encoding"] == "gzip"
        assert request.headers["User-Agent"].startswith("otel-aiohttp-logs/")
        assert request.headers["X-Scope-OrgID"] == "42"
        assert request.size < 1000


async def test_without_compression(collector, make_exporter):
    """With compression off the body is sent as it is."""
    exporter = make_exporter(gzip=False)
    exporter.emit_log(flat_log("x" * 5000))
    await collector.wait_for_logs()

    (request,) = collector.requests
    assert "Content-Encoding" not in request.headers
    assert request.size > 5000


async def test_full_batch_goes_at_once(collector, make_exporter):
    """A full batch doesn't wait for the delay; what is left does."""
    exporter = make_exporter(delay=60, batch_size=3)
    for _ in range(7):
        exporter.emit_log(flat_log())

    await collector.wait_until(lambda: len(collector.logs) >= 6)

    assert [request.records for request in collector.requests] == [3, 3]
    await collector.wait_until(lambda: exporter.stats().logs.queued == 1)
    assert exporter.flush(5)
    assert len(collector.logs) == 7


async def test_full_batch_again_and_again(collector, make_exporter):
    """Every full batch wakes the exporter, not only the first."""
    exporter = make_exporter(delay=60, batch_size=4)
    for batch in range(1, 6):
        for _ in range(4):
            exporter.emit_span(flat_span())
        await collector.wait_for_spans(4 * batch)


async def test_delay(collector, make_exporter):
    """A record waits for its batch, but no longer than the delay."""
    exporter = make_exporter(delay=0.4)
    exporter.emit_log(flat_log("first"))
    await collector.wait_for_logs()
    began = time.monotonic()
    exporter.emit_log(flat_log())
    exporter.emit_log(flat_log())
    await collector.wait_for_logs(3)

    assert 0.2 < time.monotonic() - began < 2
    assert [request.records for request in collector.requests] == [1, 2]


async def test_delay_beside_a_busy_signal(collector, make_exporter):
    """A span waits for no longer, however many batches of log records are sent."""
    exporter = make_exporter(delay=0.4, batch_size=3)
    await collector.wait_until(lambda: exporter.thread_id is not None)
    exporter.emit_span(flat_span())
    until = time.monotonic() + 5
    while not collector.spans and time.monotonic() < until:
        for _ in range(3):
            exporter.emit_log(flat_log())
        await asyncio.sleep(0.05)

    assert len(collector.spans) == 1


async def test_emitted_before_start(collector, make_exporter):
    """What is emitted before the start is sent after it, and first."""
    exporter = make_exporter(start=False, batch_size=2)
    for number in range(5):
        exporter.emit_log(flat_log(f"line {number}"))
    assert exporter.stats().logs.queued == 5
    assert exporter.thread_id is None

    exporter.start()
    exporter.start()
    exporter.emit_log(flat_log("line 5"))

    logs = await collector.wait_for_logs(6)
    assert [log.body for log in logs] == [f"line {number}" for number in range(6)]


async def test_order_over_many_batches(collector, make_exporter):
    """Records arrive in the order in which they were emitted."""
    exporter = make_exporter(batch_size=7)
    for number in range(500):
        exporter.emit_log(flat_log(str(number)))

    logs = await collector.wait_for_logs(500)
    assert [log.body for log in logs] == [str(number) for number in range(500)]


async def test_many_threads(collector, make_exporter):
    """Threads may emit at once: nothing is lost, doubled, or out of its own order."""
    exporter = make_exporter(queue_size=100_000, batch_size=50)

    def emit(name: int) -> None:
        for number in range(500):
            exporter.emit_log(flat_log(f"{name} {number}"))
            exporter.emit_span(flat_span(f"{name} {number}"))

    threads = [threading.Thread(target=emit, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])

    for records in (
        await collector.wait_for_logs(4000),
        await collector.wait_for_spans(4000),
    ):
        texts = [r.body if r.scope == "shop" else r.name for r in records]
        for name in range(8):
            own = [text for text in texts if text.startswith(f"{name} ")]
            assert own == [f"{name} {number}" for number in range(500)]
    # What has arrived is exported when its answer has come back.
    assert await asyncio.to_thread(exporter.flush, 5)
    stats = exporter.stats()
    assert stats.logs == stats.spans
    assert stats.logs.emitted == stats.logs.exported == 4000


async def test_keeps_one_connection_for_each_signal(collector, make_exporter):
    """Connections are kept alive: ten batches of two signals need two at most."""
    exporter = make_exporter(delay=60)
    for _ in range(10):
        exporter.emit_log(flat_log())
        exporter.emit_span(flat_span())
        assert await asyncio.to_thread(exporter.flush, 5)

    assert len(collector.requests) == 20
    assert len({request.connection for request in collector.requests}) <= 2


async def test_flush(collector, make_exporter):
    """Flush returns True when what was emitted before has arrived."""
    exporter = make_exporter(delay=60)
    assert exporter.flush(0.01)
    for _ in range(1200):
        exporter.emit_span(flat_span())
    exporter.emit_log(flat_log())

    assert exporter.flush(5)

    assert len(collector.spans) == 1200
    assert len(collector.logs) == 1


async def test_flush_in_time(collector, make_exporter):
    """Flush returns False when the time is over, and the records still arrive."""
    collector.hang_next(0.5)
    exporter = make_exporter(delay=60)
    exporter.emit_log(flat_log())
    began = time.monotonic()

    assert not exporter.flush(0.1)

    assert time.monotonic() - began < 0.4
    await collector.wait_for_logs()


def test_flush_right_after_the_start(collector, make_exporter):
    """Flush waits for a thread that has only just been started."""
    for number in range(1, 21):
        exporter = make_exporter(delay=60)
        exporter.emit_log(flat_log())

        assert exporter.flush(5)
        assert len(collector.logs) == number


def test_flush_without_a_thread(make_exporter):
    """Flush doesn't wait for an exporter that wasn't started."""
    exporter = make_exporter(start=False)
    assert exporter.flush(5)
    exporter.emit_log(flat_log())

    assert not exporter.flush(5)


def test_flush_from_the_own_thread(collector, make_exporter, caplog):
    """A logging handler that flushes in the exporter's thread doesn't stop it."""
    answers = []
    exporter = make_exporter()

    class Flushing(type(caplog.handler)):
        def emit(self, record) -> None:
            if record.thread == exporter.thread_id:
                answers.append(exporter.flush(5))
                exporter.close(5)

    logger = logging.getLogger("otel_aiohttp_logs.export")
    handler = Flushing()
    logger.addHandler(handler)
    try:
        collector.fail_next(400)
        exporter.emit_log(flat_log())
        until = time.monotonic() + 5
        while not answers and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        logger.removeHandler(handler)

    assert answers == [False]


async def test_large_records_make_small_batches(collector, make_exporter):
    """A batch is bounded in bytes, too: receivers refuse requests that are too long."""
    exporter = make_exporter(delay=60)
    for _ in range(6):
        exporter.emit_log(flat_log("x" * (3 << 20)))
    assert await asyncio.to_thread(exporter.flush, 10)

    assert [request.records for request in collector.requests] == [2, 2, 2]


async def test_too_large_batch_is_split(collector, make_exporter, lines):
    """A batch that the Collector finds too large is sent in halves, in order."""
    exporter = make_exporter(delay=60)
    collector.fail_next(413, times=2)
    for number in range(8):
        exporter.emit_log(flat_log(str(number)))
    assert await asyncio.to_thread(exporter.flush, 5)

    assert [request.records for request in collector.requests] == [2, 2, 4]
    assert [log.body for log in collector.logs] == list("01234567")
    assert exporter.stats().logs.dropped == {}
    assert lines() == []


async def test_switched_off_signal(collector, make_exporter):
    """A signal that is switched off takes no records and sends nothing."""
    exporter = make_exporter(enabled=False)
    exporter.emit_log(flat_log())
    exporter.emit_span(flat_span())

    assert exporter.flush(1)
    assert exporter.thread_id is None
    assert exporter.stats().logs == SignalStats(0, 0, 0, 0, {}, 0)
    assert collector.attempts == []


async def test_nothing_to_do_sends_nothing(collector, make_exporter):
    """Without records there are no requests."""
    make_exporter(delay=0.01)
    await asyncio.sleep(0.1)

    assert collector.attempts == []


async def test_unusual_record_does_not_raise(collector, make_exporter):
    """A record of wrong types raises nothing where it's emitted, and harms no other."""
    exporter = make_exporter(delay=60)
    for record in (None, flat_log(body=None), flat_log(attributes=5), flat_log("good")):
        exporter.emit_log(record)
    assert await asyncio.to_thread(exporter.flush, 5)

    assert sorted(log.body for log in collector.logs) == ["", "", "good", "line"]


async def test_makes_no_spans_of_its_own(collector, make_exporter):
    """An instrumented aiohttp client makes no spans of our requests."""
    finished = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    AioHttpClientInstrumentor().instrument(tracer_provider=provider)
    try:
        exporter = make_exporter()
        exporter.emit_log(flat_log())
        await collector.wait_for_logs()
    finally:
        AioHttpClientInstrumentor().uninstrument()
        provider.shutdown()

    assert finished.get_finished_spans() == ()
    assert "Traceparent" not in collector.requests[0].headers


async def test_lines_come_from_the_thread_that_is_named(
    collector, make_exporter, lines, caplog
):
    """What the exporter says is said in the thread whose records aren't exported."""
    exporter = make_exporter()
    collector.fail_next(400)
    exporter.emit_log(flat_log())
    await collector.wait_until(lambda: len(lines()) == 1)

    assert [record.thread for record in caplog.records] == [exporter.thread_id]
    assert exporter.thread_id != threading.get_ident()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_host_names_are_looked_up(collector, make_exporter, host):
    """A name works as well as an address."""
    exporter = make_exporter(collector.endpoint.replace("127.0.0.1", host))
    exporter.emit_log(flat_log())

    await collector.wait_for_logs()


async def test_unknown_host(make_exporter, lines, collector):
    """A name that doesn't exist is a Collector that cannot be reached."""
    exporter = make_exporter("http://collector.invalid:4318")
    exporter.emit_log(flat_log())
    await collector.wait_until(lambda: len(lines()) == 1)

    ((level, message),) = lines()
    assert level == "WARNING"
    assert "http://collector.invalid:4318" in message
    assert exporter.stats().logs.queued == 1


async def test_proxy(collector, make_exporter, monkeypatch):
    """The proxy that the environment names is used, but not for its exceptions."""
    monkeypatch.setenv("http_proxy", collector.endpoint)
    exporter = make_exporter("http://collector.invalid:4318")
    exporter.emit_log(flat_log())
    await collector.wait_for_logs()
    assert collector.requests[0].headers["Host"] == "collector.invalid:4318"

    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    make_exporter().emit_log(flat_log())
    await collector.wait_for_logs(2)


def test_start_and_close_leave_nothing_behind(collector, make_exporter):
    """Neither threads nor descriptors are left of twenty exporters."""

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def cycle() -> None:
        exporter = make_exporter()
        exporter.emit_log(flat_log())
        exporter.close()

    cycle()
    before = descriptors()
    for _ in range(20):
        cycle()

    assert len(collector.logs) == 21
    until = time.monotonic() + 5
    while descriptors() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert descriptors() <= before
    names = [thread.name for thread in threading.enumerate()]
    assert "otel_aiohttp_logs.export" not in names
