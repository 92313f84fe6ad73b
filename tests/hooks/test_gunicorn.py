"""gunicorn's lines have ids, and reach the Collector, from each of its workers."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hooks.gunicorn_server import Gunicorn

pytest.importorskip("gunicorn", reason="pip install gunicorn")


@pytest.fixture
def gunicorn(tmp_path, collector):
    running = []

    def start(*more, options=(), app="gunicorn_shop:app", **env):
        options = [*more, *options]
        running.append(Gunicorn(tmp_path, collector.endpoint, options, app, env))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def arrived(collector, scope, number, text=""):
    """The ids on a logger's lines with *text*, once there are *number*; not more."""
    until = time.monotonic() + 20
    while True:
        found = [x for x in collector.logs if x.scope == scope and text in x.body]
        if len(found) >= number:
            break
        assert time.monotonic() < until, [(x.scope, x.body) for x in collector.logs]
        time.sleep(0.02)
    ids = [line.attributes["request_id"] for line in found]
    assert len(set(ids)) == len(ids) == number
    return set(ids)


def json_lines(server, logger):
    found = [json.loads(x) for x in server.out.read_text().splitlines() if x[0] == "{"]
    return [line for line in found if line["logger"] == logger]


BAD = b"GET / HTTP/1.1\r\nno colon\r\n\r\n"
WAYS = {
    "plain": {},
    "preload": {"options": ["--preload"]},
    "workers": {"options": ["--preload", "--workers", "2"]},
    "uvloop": {"options": ["--worker-class", "aiohttp.GunicornUVLoopWebWorker"]},
    "factory": {"app": "gunicorn_shop:factory"},
}


@pytest.mark.parametrize("way", WAYS)
def test_lines_of_each_worker(gunicorn, collector, way):
    """The application's lines, gunicorn's error lines, and events: once, with ids."""
    if way == "uvloop":
        pytest.importorskip("uvloop", reason="pip install uvloop")
    server = gunicorn(**WAYS[way])
    good = {server.get(f"/?n={n}")[1] for n in range(8)}
    failed = server.get("/boom")[1]
    bad = server.send(BAD)

    assert arrived(collector, "shop", 8) == good
    errors = arrived(collector, "gunicorn.error", 2, "Error handling request")
    assert errors == {failed, bad}
    assert arrived(collector, "aiohttp.access", 10) == good | {failed, bad}
    assert server.stop() < 10


def test_its_own_access_lines(gunicorn, collector):
    """Where gunicorn shows them, our event is exported, but not shown once more."""
    server = gunicorn("--access-logfile", "-")
    good, failed = server.get()[1], server.get("/boom")[1]

    assert arrived(collector, "aiohttp.access", 2) == {good, failed}
    server.stop()
    assert [x["request_id"] for x in json_lines(server, "shop")] == [good]
    assert json_lines(server, "aiohttp.access") == []
    assert server.out.read_text().count('"GET /') == 2
    assert "gunicorn.access" not in {line.scope for line in collector.logs}


def test_its_classic_access_lines(gunicorn, collector):
    """Without events the records of gunicorn.access are exported, with their ids."""
    server = gunicorn("--access-logfile", "-", OTEL_AIOHTTP_LOGS_ACCESS_LOG="classic")
    good, failed, bad = server.get()[1], server.get("/boom")[1], server.send(BAD)

    assert arrived(collector, "gunicorn.access", 3) == {good, failed, bad}
    server.stop()
    assert server.out.read_text().count("HTTP/1.") == 3
    assert "aiohttp.access" not in {line.scope for line in collector.logs}


def test_without_an_access_log(gunicorn, collector):
    """As gunicorn is by default, the event is what stdout shows."""
    server = gunicorn()
    good = server.get()[1]
    arrived(collector, "aiohttp.access", 1)
    server.stop()

    assert [x["request_id"] for x in json_lines(server, "aiohttp.access")] == [good]
    assert json_lines(server, "gunicorn.error") == []


def test_a_worker_that_had_enough_requests(gunicorn, collector):
    """It ends, another one starts, and no line of either is lost."""
    server = gunicorn("--max-requests", "3")
    answers = [server.get(f"/?n={n}") for n in range(10)]
    server.said("Booting worker", 2)
    answers += [server.get("/?n=last") for _ in range(2)]

    assert arrived(collector, "shop", 12) == {found for _, found in answers}
    assert len({pid for pid, _ in answers}) >= 2


def test_a_reload(gunicorn, collector):
    """SIGHUP lets the old worker finish its request: its line arrives, too."""
    server = gunicorn()
    first = server.get()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.get, "/slow")
        time.sleep(0.2)  # until it's being served, which only the answer would tell
        server.reload()
        server.said("Booting worker", 2)
        text, slow_id = slow.result(30)
    server.said("Worker exiting")
    second = server.get()

    assert text == "slow"
    assert first[0] != second[0]
    assert arrived(collector, "shop", 3) == {first[1], slow_id, second[1]}


def test_the_end_with_a_collector_that_hangs(gunicorn, collector):
    """A worker gives up after a bounded time: five seconds, and gunicorn's second."""
    collector.hang_next(50)
    server = gunicorn()
    server.get()

    assert server.stop() < 12
