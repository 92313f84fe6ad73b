"""The services run alone, as in the Docker stack: shop, stock and their traffic."""

from __future__ import annotations

import asyncio
import html
import json
import os
import socket
import sys
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import pytest_asyncio
from aiohttp import ClientError, ClientSession
from yarl import URL

from otel_aiohttp_logs.demo.scenarios import NUMBER_FIELDS, SCENARIOS, SERVICES

PATIENCE = 30
# The services are started once; their pipes belong to one loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Service:
    def __init__(self, process, port):
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.lines = []

    async def read(self):
        async for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def of(self, trace_id):
        return [line for line in self.lines if line.get("trace_id") == trace_id]


@asynccontextmanager
async def running(name, **env):
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"otel_aiohttp_logs.demo.{name}"),
        env={
            **os.environ,
            "PORT": str(port),
            "OTEL_SERVICE_NAME": name,
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_SDK_DISABLED": "true",
            **env,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL
        if name == "traffic"
        else asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    service = Service(process, port)
    reading = asyncio.create_task(service.read()) if process.stdout else None
    try:
        await healthy(service)
        yield service
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)
        if reading:
            await reading


async def healthy(service):
    async with ClientSession(service.url) as session:
        for _ in range(PATIENCE * 20):
            with suppress(ClientError):
                response = await session.get("/healthz")
                assert response.status == 200
                return
            await asyncio.sleep(0.05)
    pytest.fail(f"{service.url} did not come up")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack():
    """Shop, stock and traffic, without a load of its own."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        trust = {"OTEL_AIOHTTP_LOGS_REQUEST_ID_HEADER": "X-Request-ID"}
        stock = await enter(running("stock", **trust))
        shop = await enter(running("shop", STOCK_URL=stock.url))
        traffic = await enter(running("traffic", TARGET_URL=shop.url, RPS="0"))
        yield shop, stock, traffic


async def run_scenario(traffic, name, count):
    async with ClientSession(traffic.url) as session:
        response = await session.get(f"/run/{name}", params={"count": count})
        assert response.status == 200
        return await response.json()


async def lines_of(services, request):
    """Return the lines of a request once no more can come."""
    expected = SCENARIOS[request["scenario"]].lines
    for _ in range(PATIENCE * 20):
        lines = [
            line for service in services for line in service.of(request["trace_id"])
        ]
        if sum(line["logger"] in SERVICES for line in lines) >= len(expected):
            return lines
        await asyncio.sleep(0.05)
    pytest.fail(f"{request} has only {lines}")


@pytest.mark.parametrize("name", SCENARIOS)
async def test_each_scenario(stack, name):
    """
    ``/run/{scenario}`` starts that many requests, says their trace ids and how they
    were answered, and their lines, those of threads and late ones too, bear them.
    """
    shop, stock, traffic = stack
    told = await run_scenario(traffic, name, 3)

    assert told["sent"] == 3
    assert told["unanswered"] == 0
    assert {r["status"] for r in told["requests"]} == {SCENARIOS[name].status}
    assert len({r["trace_id"] for r in told["requests"]}) == 3
    for request in told["requests"]:
        lines = await lines_of((shop, stock), request)
        own = [line for line in lines if line["logger"] in SERVICES]
        numbers = {line[key] for line in own for key in NUMBER_FIELDS if key in line}
        assert Counter((line["logger"], line["message"]) for line in own) == Counter(
            SCENARIOS[name].lines
        )
        assert numbers == {request["number"]}
        assert len({line["request_id"] for line in lines}) == 1


async def test_many_at_once(stack):
    """Of 120 requests at once, all take turns, and no line is under another's ids."""
    shop, stock, traffic = stack
    told = await run_scenario(traffic, "mixed", 120)

    assert told["unanswered"] == 0
    assert {r["scenario"] for r in told["requests"]} == set(SCENARIOS)
    for request in told["requests"]:
        own = await lines_of((shop, stock), request)
        messages = [(x["logger"], x["message"]) for x in own if x["logger"] in SERVICES]
        assert sorted(messages) == sorted(SCENARIOS[request["scenario"]].lines)


@pytest.mark.parametrize("count", ["0", "501", "-1", "x", "", "9" * 40, "\u0663"])
async def test_refuses_counts(stack, count):
    """A count that is no number from 1 to 500 is refused, and says so."""
    async with ClientSession(stack[2].url) as session:
        response = await session.get("/run/order", params={"count": count})

        assert response.status == 400
        assert await response.text() == "count is a whole number from 1 to 500\n"


async def test_unknown_scenario(stack):
    """An unknown scenario is not found, and the answer says where they are listed."""
    async with ClientSession(stack[2].url) as session:
        response = await session.get("/run/nope")

        assert response.status == 404
        assert await response.text() == "there is no scenario nope: / lists them\n"


async def test_page_lists_the_scenarios(stack):
    """The page says what happens in each scenario, and links to it."""
    async with ClientSession(stack[2].url) as session:
        page = await (await session.get("/")).text()

    for name, scenario in SCENARIOS.items():
        assert f'<a href="run/{name}">' in page
        assert html.escape(scenario.happens) in page
    assert '<a href="run/mixed?count=20">' in page


async def test_health_checks_are_silent(stack):
    """``/healthz`` answers and leaves no line; other lines still come."""
    shop, _, _ = stack
    async with ClientSession(shop.url) as session:
        for _ in range(5):
            assert (await session.get("/healthz")).status == 200
        before = len(shop.lines)
        assert (await session.get("/no-such-page")).status == 404
        for _ in range(PATIENCE * 20):
            if len(shop.lines) > before:
                break
            await asyncio.sleep(0.05)

    assert "/no-such-page" in shop.lines[-1]["message"]
    assert not [line for line in shop.lines if "healthz" in line["message"]]


@pytest.mark.parametrize("number", ["x", "-1", "1" * 13, "1%0a2"])
async def test_shop_takes_numbers_only(stack, number):
    """A path whose number is none is not found."""
    async with ClientSession(stack[0].url) as session:
        response = await session.get(URL(f"/baskets/{number}", encoded=True))

        assert response.status == 404


async def test_traffic_by_itself():
    """The load runs by itself at about the rate that ``RPS`` says."""
    async with AsyncExitStack() as stack:
        stock = await stack.enter_async_context(running("stock"))
        shop = await stack.enter_async_context(running("shop", STOCK_URL=stock.url))
        await stack.enter_async_context(
            running("traffic", TARGET_URL=shop.url, RPS="20")
        )
        await asyncio.sleep(2)
    requests = {line["trace_id"] for line in shop.lines if line.get("trace_id")}

    assert 20 <= len(requests) <= 80


async def test_shop_is_away():
    """Requests that get no answer are counted as such, with the reason."""
    async with running("traffic", TARGET_URL="http://127.0.0.1:9", RPS="0") as traffic:
        told = await run_scenario(traffic, "mixed", 12)

    assert told["requests"] == []
    assert told["unanswered"] == 12
    assert "ClientConnectorError" in told["failures"][0]


async def test_port_is_taken():
    """A service whose port is taken says so in one line and how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "otel_aiohttp_logs.demo.stock"),
            env={**os.environ, "PORT": port, "OTEL_SDK_DISABLED": "true"},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert process.returncode == 1
    assert said.decode() == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use; "
        "set HOST and PORT to choose where.\n"
    )
