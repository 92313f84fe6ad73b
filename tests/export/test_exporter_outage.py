"""A Collector that fails costs no record that fits, and little noise."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import pytest
from export.records import flat_log, flat_span

from otel_aiohttp_logs.export.backlog import MAX_WEIGHT


@pytest.fixture
def quiet(make_exporter):
    """An exporter whose endpoint is the default one, as far as it knows."""

    def make(endpoint: str):
        return make_exporter(endpoint, is_default=True, delay=0.02)

    return make


def bodies(collector) -> list[str]:
    return [log.body for log in collector.logs]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_tried_again(collector, make_exporter, status, lines):
    """After an answer that asks for it the same batch is sent again, once, in order."""
    exporter = make_exporter(batch_size=2)
    collector.fail_next(status, times=2)
    for number in range(5):
        exporter.emit_log(flat_log(str(number)))

    await collector.wait_for_logs(5)

    assert bodies(collector) == list("01234")
    await collector.wait_until(lambda: len(lines()) == 2)
    assert [level for level, _ in lines()] == ["WARNING", "INFO"]
    assert str(status) in lines()[0][1]
    assert exporter.stats().logs.retried == 2
    assert exporter.stats().logs.dropped == {}


@pytest.mark.parametrize("status", [400, 401, 404, 413, 415, 500, 501, 302, 308])
async def test_refused(collector, make_exporter, status, lines):
    """
    Any other answer drops the batch, which is counted, and said once; the next
    batch is sent as if nothing had been.
    """
    exporter = make_exporter(delay=60)
    for batch in range(2):
        collector.fail_next(status)
        exporter.emit_log(flat_log(f"lost {batch}"))
        await asyncio.to_thread(exporter.flush, 5)
    exporter.emit_log(flat_log("kept"))
    await asyncio.to_thread(exporter.flush, 5)

    assert bodies(collector) == ["kept"]
    stats = exporter.stats().logs
    assert (stats.emitted, stats.exported, stats.dropped) == (3, 1, {"rejected": 2})
    ((level, message),) = lines()
    assert level == "WARNING"
    assert str(status) in message


async def test_reason_of_a_refusal_is_said(collector, make_exporter, lines):
    """The line about a refused batch has the reason that the Collector gave."""
    exporter = make_exporter()
    collector.answer_next(
        b"\x08\x03\x12\x0fno tenant given",
        status=400,
        headers={"Content-Type": "application/x-protobuf"},
    )
    exporter.emit_span(flat_span())

    await collector.wait_until(lambda: len(lines()) == 1)
    assert "no tenant given" in lines()[0][1]


async def test_redirects_are_not_followed(collector, make_exporter):
    """A redirect is an answer like others: records go where the settings say."""
    collector.answer_next(
        b"", status=307, headers={"Location": f"{collector.endpoint}/v1/logs"}
    )
    exporter = make_exporter()
    exporter.emit_log(flat_log())
    assert await asyncio.to_thread(exporter.flush, 5)

    assert collector.logs == []
    assert exporter.stats().logs.dropped == {"rejected": 1}


async def test_retry_after(collector, make_exporter):
    """The Collector's wish for a pause is granted."""
    collector.fail_next(429, retry_after=1)
    exporter = make_exporter()
    exporter.emit_log(flat_log())
    await collector.wait_for_logs()

    first, second = collector.attempts
    assert 1 <= second - first < 2


async def test_one_signal_does_not_wait_for_the_other(collector, make_exporter):
    """While one signal has to pause, the other is sent."""
    exporter = make_exporter()
    collector.fail_next(503, retry_after=60)
    exporter.emit_log(flat_log())
    await collector.wait_until(lambda: len(collector.attempts) == 1)
    exporter.emit_span(flat_span())

    await collector.wait_for_spans()
    assert collector.logs == []


async def test_flush_does_not_wait_for_the_next_try(collector, make_exporter):
    """Flush tries at once, whatever pause is on."""
    exporter = make_exporter()
    collector.fail_next(503, retry_after=60)
    exporter.emit_log(flat_log())
    await collector.wait_until(lambda: exporter.stats().logs.queued == 1)
    await collector.wait_until(lambda: len(collector.attempts) == 1)
    await asyncio.sleep(0.05)

    assert await asyncio.to_thread(exporter.flush, 5)
    assert bodies(collector) == ["line"]


async def test_no_answer(collector, make_exporter, lines):
    """A Collector that doesn't answer in time is tried again."""
    collector.hang_next()
    exporter = make_exporter(timeout=0.2)
    exporter.emit_log(flat_log())
    await collector.wait_for_logs()

    assert "no answer in time" in lines()[0][1]
    assert exporter.stats().logs.retried == 1


async def test_dropped_connection(collector, make_exporter, lines):
    """A connection that breaks once is no failure: the batch is sent again at once."""
    collector.drop_next()
    exporter = make_exporter()
    exporter.emit_log(flat_log())
    await collector.wait_for_logs()

    assert lines() == []


async def test_dropped_connections(collector, make_exporter, lines):
    """Connections that keep breaking are a failure that is said once."""
    collector.drop_next(times=3)
    exporter = make_exporter()
    exporter.emit_log(flat_log())
    await collector.wait_for_logs()

    await collector.wait_until(lambda: len(lines()) == 2)
    assert [level for level, _ in lines()] == ["WARNING", "INFO"]


@pytest.mark.parametrize("garbage", [b"garbage", b"\xff" * 100, b"x" * 1_000_000])
async def test_garbage_in_a_good_answer(collector, make_exporter, garbage, lines):
    """An answer of status 200 with garbage in it is a success."""
    collector.answer_next(garbage)
    exporter = make_exporter()
    exporter.emit_log(flat_log())
    assert await asyncio.to_thread(exporter.flush, 5)

    assert exporter.stats().logs.exported == 1
    assert lines() == []


async def test_no_http_at_all(make_exporter, collector, lines):
    """Something that doesn't speak HTTP is a failure like any other."""

    async def answer(reader, writer) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        exporter = make_exporter(f"http://127.0.0.1:{port}")
        exporter.emit_log(flat_log())
        await collector.wait_until(lambda: exporter.stats().logs.retried >= 2)

    assert [level for level, _ in lines()] == ["WARNING"]
    assert exporter.stats().logs.queued == 1


async def test_partial_success(collector, make_exporter, lines):
    """Records that the Collector says it dropped are counted and said."""
    exporter = make_exporter(delay=60)
    for reject, emit in ((2, 5), (3, 4)):
        collector.reject_next(reject, "too old")
        for _ in range(emit):
            exporter.emit_log(flat_log())
        assert await asyncio.to_thread(exporter.flush, 5)
    collector.reject_next(99)
    exporter.emit_span(flat_span())
    assert await asyncio.to_thread(exporter.flush, 5)

    stats = exporter.stats()
    assert (stats.logs.exported, stats.logs.dropped) == (4, {"rejected": 5})
    assert (stats.spans.exported, stats.spans.dropped) == (0, {"rejected": 1})
    assert len(lines()) == 2
    assert "too old" in lines()[0][1]


async def test_outage(collector, make_exporter, lines):
    """
    While the Collector is away the oldest records are kept and the others counted;
    when it's back they arrive in order, and each of both is said once.
    """
    exporter = make_exporter(queue_size=100, batch_size=10)
    exporter.emit_log(flat_log("before"))
    exporter.emit_span(flat_span())
    await collector.wait_for_logs(1)
    await collector.wait_for_spans(1)
    collector.stop()
    for number in range(300):
        exporter.emit_log(flat_log(str(number)))
        exporter.emit_span(flat_span())
    await collector.wait_until(lambda: exporter.stats().logs.retried >= 2)
    during = exporter.stats().logs
    collector.start()

    await collector.wait_until(lambda: exporter.stats().logs.queued == 0, 20)
    await collector.wait_until(lambda: exporter.stats().spans.queued == 0, 20)

    assert during.emitted == 301
    assert 100 <= during.queued <= 110
    assert during.dropped == {"queue_full": 300 - during.queued}
    kept = bodies(collector)[1:]
    assert kept[:100] == [str(number) for number in range(100)]
    assert kept == sorted(kept, key=int)
    assert exporter.stats().logs.exported == 1 + len(kept)
    await collector.wait_until(lambda: len(lines()) == 2)
    assert [level for level, _ in lines()] == ["WARNING", "INFO"]


async def test_memory_is_bounded_in_bytes(make_exporter, free_port):
    """Large records fill the queue before there are many of them."""
    exporter = make_exporter(f"http://127.0.0.1:{free_port}", delay=60)
    body = "x" * (1 << 20)
    for _ in range(200):
        exporter.emit_log(flat_log(body))
        exporter.emit_log(flat_log("", attributes={"nested": [body, {"deep": body}]}))
        exporter.emit_span(flat_span(attributes={"large": body}))

    stats = exporter.stats()
    for signal in (stats.logs, stats.spans):
        assert signal.queued <= MAX_WEIGHT >> 20
        assert signal.queued > 30
        assert signal.dropped["queue_full"] == signal.emitted - signal.queued


async def test_room_again_after_large_records(collector, make_exporter):
    """What was sent makes room: a full queue takes records again."""
    exporter = make_exporter(delay=60)
    for _ in range(100):
        exporter.emit_log(flat_log("x" * (1 << 20)))
    assert exporter.stats().logs.dropped["queue_full"] > 20
    assert await asyncio.to_thread(exporter.flush, 20)
    before = exporter.stats().logs.dropped["queue_full"]
    for _ in range(50):
        exporter.emit_log(flat_log("x" * (1 << 20)))
    assert await asyncio.to_thread(exporter.flush, 20)

    assert exporter.stats().logs.dropped["queue_full"] == before
    assert len(collector.logs) == 150 - before


async def test_default_endpoint_is_tried_quietly(collector, quiet, lines):
    """
    Where nobody was said to listen nobody is missed: one line at info. A Collector
    that is started later gets what waits.
    """
    collector.stop()
    exporter = quiet(collector.endpoint)
    for number in range(3):
        exporter.emit_log(flat_log(str(number)))
        exporter.emit_span(flat_span())
    await collector.wait_until(lambda: exporter.stats().logs.retried >= 3)
    collector.start()

    await collector.wait_for_logs(3)
    await collector.wait_for_spans(3)

    assert [level for level, _ in lines()] == ["INFO"]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in lines()[0][1]
    collector.stop()
    exporter.emit_log(flat_log())
    await collector.wait_until(lambda: exporter.stats().logs.queued == 1)
    collector.start()
    await collector.wait_for_logs(4)
    assert len(lines()) == 1


async def test_flush_does_not_wait_where_nobody_is(quiet, free_port):
    """At the default endpoint, with nobody there, flush returns False at once."""
    exporter = quiet(f"http://127.0.0.1:{free_port}")
    exporter.emit_log(flat_log())
    began = time.monotonic()

    assert not await asyncio.to_thread(exporter.flush, 5)
    assert time.monotonic() - began < 1


async def test_default_endpoint_that_refuses(collector, quiet, lines):
    """A receiver of traces only, found at the default endpoint, is one line, too."""
    exporter = quiet(collector.endpoint)
    for _ in range(3):
        collector.fail_next(404)
        exporter.emit_log(flat_log())
        assert await asyncio.to_thread(exporter.flush, 5)

    assert [level for level, _ in lines()] == ["INFO"]
    assert exporter.stats().logs.dropped == {"rejected": 3}


async def test_failure_of_our_own(collector, make_exporter, lines, caplog):
    """
    What we didn't foresee costs a batch, which is counted and said once with its
    traceback, and not the exporter.
    """
    exporter = make_exporter(headers={"X-Broken": "a\r\nb"}, delay=60)
    for _ in range(2):
        exporter.emit_log(flat_log())
        assert await asyncio.to_thread(exporter.flush, 5)

    assert exporter.stats().logs.dropped == {"failed": 2}
    assert [level for level, _ in lines()] == ["WARNING"]
    (record,) = (r for r in caplog.records if r.levelno == logging.WARNING)
    assert record.exc_info


async def test_passwords_are_not_said(make_exporter, lines, collector, free_port):
    """A password in the endpoint's URL stands in no line."""
    exporter = make_exporter(f"http://user:secret@127.0.0.1:{free_port}")
    exporter.emit_log(flat_log())
    await collector.wait_until(lambda: len(lines()) == 1)
    exporter.close(0.5)

    assert len(lines()) == 2
    assert "secret" not in repr(lines())


async def test_counts_add_up(collector, make_exporter):
    """Emitted is the sum of exported, queued and dropped at any moment."""
    exporter = make_exporter(queue_size=50, batch_size=5)
    for number in range(200):
        if number % 20 == 0:
            collector.fail_next((503, 400)[number // 20 % 2])
        exporter.emit_log(flat_log())
        check(exporter.stats().logs, number + 1)
        if number % 7 == 0:
            await asyncio.sleep(0.002)
    exporter.close(5)
    exporter.emit_log(flat_log())
    stats = exporter.stats().logs

    check(stats, 201)
    assert stats.queued == 0
    assert stats.dropped["closed"] == 1
    assert stats.dropped["rejected"] > 0


def check(stats, emitted: int) -> None:
    assert stats.emitted == emitted
    total = stats.exported + stats.queued + stats.spooled + sum(stats.dropped.values())
    assert total == emitted
    assert replace(stats, emitted=0).emitted == 0
