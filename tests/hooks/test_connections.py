"""Lines that have no request, or are logged beside it, have ids, and the right ones."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
from aiohttp import web

from otel_aiohttp_logs import instrument_app
from otel_aiohttp_logs.record.said import said as fields_of

log = logging.getLogger("shop")

BAD = {
    "header": b"GET / HTTP/1.1\r\nHost: shop\r\nno colon here\r\n\r\n",
    "version": b"GET / HTTP/x.y\r\nHost: shop\r\n\r\n",
    "length": b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: tea\r\n\r\n",
    "too long": b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n",
}
CLOSING = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
GOOD = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"


async def ok(_):
    log.info("good")
    return web.Response(text="ok")


def app_with_ok():
    app = web.Application()
    app.router.add_get("/", ok)
    return app


@pytest.fixture
async def started():
    """Start applications as web.run_app does; they end with the test."""
    runners = []

    async def start(app, **options):
        runner = web.AppRunner(app, **options)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner.addresses[0][:2]

    yield start
    for runner in runners:
        await runner.cleanup()


async def send(address, *pieces):
    """
    Send each piece when the one before was answered, and return all answers, until the
    server hangs up.
    """
    reader, writer = await asyncio.open_connection(*address)
    answer = b""
    for piece in pieces:
        writer.write(piece)
        answer += await asyncio.wait_for(reader.read(65536), 10)
    answer += await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


def ids_sent(answer):
    """The id in the header of each response."""
    head = b"X-Request-ID: "
    return [
        line.removeprefix(head).decode()
        for line in answer.split(b"\r\n")
        if line.startswith(head)
    ]


def lines(records, logger):
    return [(r.request_id, fields_of(r).fields) for r in records if r.name == logger]


@pytest.fixture
def instrumented(monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    def instrument(app=None, **options):
        app = app or app_with_ok()
        instrument_app(app, output="none", **options)
        return app

    return instrument


@pytest.mark.parametrize("kind", BAD)
async def test_a_400_of_the_parser(instrumented, started, records, kind):
    """
    Its error line and access line have one id, and the address of the connection; the
    answer has the id, too. The next one has another.
    """
    address = await started(instrumented(access_log="classic"))
    sent = [ids_sent(await send(address, BAD[kind])) for _ in range(2)]

    errors, access = lines(records, "aiohttp.server"), lines(records, "aiohttp.access")
    expected = [one for (one,) in sent]
    assert len(set(expected)) == 2
    assert [one for one, _ in errors] == [one for one, _ in access] == expected
    for _, fields in errors + access:
        assert fields["client.address"] == "127.0.0.1"


async def test_its_event(started, collector, monkeypatch, arrived, records):
    """The event of what was rejected is exported, with the error line; no span is."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    app = app_with_ok()
    instrument_app(app, output="none")
    address = await started(app)
    (sent,) = ids_sent(await send(address, BAD["header"]))
    (good,) = ids_sent(await send(address, CLOSING))

    (error,) = await arrived.lines(1, scope="aiohttp.server")
    event, other = await arrived.lines(2, scope="aiohttp.access")
    (span,) = await arrived.served()
    assert error.attributes["request_id"] == sent
    assert error.attributes["client.address"] == "127.0.0.1"
    assert event.body == "_OTHER - 400"
    assert event.attributes["request_id"] == sent
    assert event.attributes["outcome"] == "client_error"
    assert event.attributes["error.type"] == "BadHttpMessage"
    assert event.attributes["client.address"] == "127.0.0.1"
    assert event.attributes["http.response.status_code"] == 400
    assert event.attributes["duration"] > 0
    assert event.trace_id == ""
    assert span.attributes["request_id"] == other.attributes["request_id"] == good


async def test_garbage_after_a_request(instrumented, started, records):
    """On one connection each has its own id; nothing goes from one to the next."""
    address = await started(instrumented(access_log="classic"))
    good, bad = ids_sent(await send(address, GOOD, BAD["header"]))

    assert good != bad
    by_logger = {r.name: r.request_id for r in records if r.name != "aiohttp.access"}
    assert by_logger == {"shop": good, "aiohttp.server": bad}
    assert [one for one, _ in lines(records, "aiohttp.access")] == [good, bad]
    assert "client.address" not in lines(records, "shop")[0][1]


async def test_another_application_of_the_process(instrumented, started, records):
    """One that isn't instrumented answers and logs as before."""
    await started(instrumented())
    address = await started(app_with_ok())
    answer = await send(address, BAD["header"])

    assert answer.startswith(b"HTTP/1.0 400")
    assert b"X-Request-ID" not in answer
    assert lines(records, "aiohttp.server") == [(None, {})]


async def test_a_server_without_an_application(instrumented, started, records):
    """aiohttp's low-level server has no application that could be instrumented."""
    await started(instrumented())
    runner = web.ServerRunner(web.Server(ok))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answer = await send(runner.addresses[0][:2], BAD["header"])
    await runner.cleanup()

    assert answer.startswith(b"HTTP/1.0 400")
    assert lines(records, "aiohttp.server") == [(None, {})]


async def test_one_access_line(started, collector, monkeypatch, arrived, records):
    """With ``access_log="classic"`` aiohttp's line is exported, and no event."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    app = app_with_ok()
    instrument_app(app, output="none", access_log="classic")
    address = await started(app)
    sent = [ids_sent(await send(address, BAD["header"])) for _ in range(2)]
    found = await arrived.lines(2, scope="aiohttp.access")

    assert [[line.attributes["request_id"]] for line in found] == sent
    assert all("UNKNOWN / HTTP" in line.body for line in found)


async def test_switched_off(instrumented, started, records):
    """Without the hook the 400 is as without us, and has no id."""
    address = await started(instrumented(hooks="none"))
    answer = await send(address, BAD["header"])

    assert b"X-Request-ID" not in answer
    assert lines(records, "aiohttp.server") == [(None, {})]


async def test_the_answer_is_the_same(instrumented, started):
    """But for the id, to the byte, whether or not we are there."""
    with_us = await send(await started(instrumented()), BAD["header"])
    without = await send(await started(app_with_ok()), BAD["header"])

    def bare(answer):
        return [
            line
            for line in answer.split(b"\r\n")
            if not line.startswith((b"X-Request-ID", b"Date"))
        ]

    assert bare(with_us) == bare(without)


async def test_a_wrong_expect_header(
    instrumented, started, records, arrived, collector
):
    """The 417 has an id, which is on its line, too."""
    address = await started(instrumented(access_log="classic"))
    wrong = b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nConnection: close\r\n\r\n"
    answer = await send(address, wrong)

    assert answer.startswith(b"HTTP/1.1 417")
    assert [one for one, _ in lines(records, "aiohttp.access")] == ids_sent(answer)


async def test_an_unhandled_exception(instrumented, started, records):
    """If a signal raises, aiohttp says so in the connection's task: with the ids."""

    async def broken(_, response):
        raise RuntimeError("the signal broke")

    app = instrumented()
    app.on_response_prepare.append(broken)
    address = await started(app)
    await send(address, GOOD)

    by_text = {r.getMessage(): r.request_id for r in records}
    assert by_text["good"] is not None
    assert by_text["Unhandled exception"] == by_text["good"]


async def test_a_client_that_went_away(instrumented, started, records):
    """aiohttp's debug lines about the connection have the ids of its request."""
    begun, logger = asyncio.Event(), logging.getLogger("aiohttp.server")

    async def endless(request):
        log.info("begun")
        response = web.StreamResponse()
        await response.prepare(request)
        begun.set()
        while True:
            await response.write(b"tea" * 10_000)

    app = web.Application()
    app.router.add_get("/", endless)
    # aiohttp looks at the loop's debug mode when it starts.
    asyncio.get_running_loop().set_debug(True)
    address = await started(instrumented(app))
    before = logger.level
    logger.setLevel(logging.DEBUG)
    gone = socket.create_connection(address)
    gone.sendall(GOOD)
    await asyncio.wait_for(begun.wait(), 10)
    gone.close()
    for _ in range(500):
        ignored = [r for r in records if r.getMessage().startswith("Ignored premature")]
        if ignored:
            break
        await asyncio.sleep(0.01)
    logger.setLevel(before)
    asyncio.get_running_loop().set_debug(False)

    (own,) = [r for r in records if r.name == "shop"]
    assert own.request_id is not None
    assert {r.request_id for r in ignored} == {own.request_id}
