"""What aiohttp's parser rejects has an id of its own, on its lines and its answer."""

from __future__ import annotations

import pytest
from aiohttp import web
from hooks.raw import BAD, CLOSING, GOOD, app_with_ok, ids_sent, lines, ok, send

from otel_aiohttp_logs import instrument_app


@pytest.mark.parametrize("kind", BAD)
async def test_a_400_of_the_parser(quietly, started, records, kind):
    """
    Its error line and access line have one id, and the address of the connection; the
    answer has the id, too. The next one has another.
    """
    address = await started(quietly(access_log="classic"))
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


async def test_garbage_after_a_request(quietly, started, records):
    """On one connection each has its own id; nothing goes from one to the next."""
    address = await started(quietly(access_log="classic"))
    good, bad = ids_sent(await send(address, GOOD, BAD["header"]))

    assert good != bad
    by_logger = {r.name: r.request_id for r in records if r.name != "aiohttp.access"}
    assert by_logger == {"shop": good, "aiohttp.server": bad}
    assert [one for one, _ in lines(records, "aiohttp.access")] == [good, bad]
    assert "client.address" not in lines(records, "shop")[0][1]


async def test_another_application_of_the_process(quietly, started, records):
    """One that isn't instrumented answers and logs as before."""
    await started(quietly())
    address = await started(app_with_ok())
    answer = await send(address, BAD["header"])

    assert answer.startswith(b"HTTP/1.0 400")
    assert b"X-Request-ID" not in answer
    assert lines(records, "aiohttp.server") == [(None, {})]


async def test_a_server_without_an_application(quietly, started, records):
    """aiohttp's low-level server has no application that could be instrumented."""
    await started(quietly())
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


async def test_switched_off(quietly, started, records):
    """Without the hook the 400 is as without us, and has no id."""
    address = await started(quietly(hooks="none"))
    answer = await send(address, BAD["header"])

    assert b"X-Request-ID" not in answer
    assert lines(records, "aiohttp.server") == [(None, {})]


async def test_the_answer_is_the_same(quietly, started):
    """But for the id, to the byte, whether or not we are there."""
    with_us = await send(await started(quietly()), BAD["header"])
    without = await send(await started(app_with_ok()), BAD["header"])

    def bare(answer):
        return [
            line
            for line in answer.split(b"\r\n")
            if not line.startswith((b"X-Request-ID", b"Date"))
        ]

    assert bare(with_us) == bare(without)
