"""The demo as people run it: a program, its output, its end."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
from collections import Counter

from aiohttp import ClientSession
from demo_program import alive, all_gone, running
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)

SERVICE_LINE = re.compile(r"^(shop |stock) │ \d\d:\d\d:\d\d\.\d{3} [A-Z]+ +▌(\w+)")
NUMBER = re.compile(r"\b(?:order|basket|search)=(\d+)")


async def test_tells_requests_apart():
    """
    ``--seconds`` ends it with status 0: the lines of both services were shown as they
    came, and a normal, a failing and a slow request are told apart with their ids.
    """
    async with running("--seconds", "3") as demo:
        assert await demo.end() == 0, demo.text

    blocks = re.findall(r"^── (POST .*) → (\d+)", demo.text, re.MULTILINE)
    paths = [re.sub(r"\d+", "N", path) for path, _ in blocks]
    assert paths == [
        "POST /orders/N",
        "POST /orders/N/payment",
        "POST /orders/N/delivery",
    ]
    assert [status for _, status in blocks] == ["200", "500", "200"]
    assert len(re.findall(r"^   trace    [0-9a-f]{32}$", demo.text, re.MULTILINE)) == 3
    assert len(re.findall(r"^   request  [0-9a-f-]{36}$", demo.text, re.MULTILINE)) == 3
    assert "CardRefusedError: the bank refused the card of order" in demo.text
    assert "└ GET /warehouses/{number}" in demo.text
    # Who asked is on the event and on the span; a step's fields are on its span, too.
    assert re.search(r"POST /orders/(\d+) 200 +user_id=\d+  duration=0\.\d+", demo.text)
    assert re.search(
        r"POST /orders/{number} .*█+ +user_id=\d+$", demo.text, re.MULTILINE
    )
    assert re.search(r"└ charge card .*█ +user_id=\d+  order=\d+  card=visa", demo.text)
    assert re.search(r'step="call warehouse" .* duration=0\.\d+  outcome=ok', demo.text)
    assert "Where to look next" in demo.text


async def test_work_of_nobody():
    """
    What the first request begins and what goes on for ever is detached: its lines
    have no id, and are checked to be under no request.
    """
    async with running("--seconds", "2") as demo:
        assert await demo.end() == 0, demo.text

    (line,) = [line for line in demo.lines if "shelves recounted" in line]
    assert "▌" not in line


async def test_fields_of_a_block():
    """A page's field is on its line, and not on those behind its block."""
    async with running("--seconds", "2") as demo:
        assert await demo.end() == 0, demo.text

    assert re.search(r"invoice page written +.*page=2", demo.text)
    assert re.search(r"invoice complete", demo.text)
    assert not re.search(r"invoice complete .*page=", demo.text)


async def test_counts_requests():
    """
    Its table has as many requests as were sent, by the histograms of both services,
    the calls between them among them, and none is in progress at the end.
    """
    async with running("--seconds", "3", "--rate", "10") as demo:
        assert await demo.end() == 0, demo.text

    sent = int(re.search(r"^   (\d+) requests, ", demo.text, re.MULTILINE)[1])
    row = r"^   (shop |stock)   (served|called) (\S+ \S+) +(\d+) +[\d.]+ ms +[\d.]+ ms$"
    counted: Counter = Counter()
    for service, how, request, count in re.findall(row, demo.text, re.MULTILINE):
        if "/healthz" not in request:
            counted[service.strip(), how] += int(count)
    assert counted["shop", "served"] == sent >= 20
    assert counted["stock", "served"] == counted["shop", "called"] >= 10
    assert "   in progress at the end: shop 0, stock 0" in demo.lines


async def test_one_short_id_for_one_request():
    """
    In the console lines each request has one short id, in both services, and no two
    requests have the same.
    """
    async with running("--seconds", "3", "--rate", "10") as demo:
        assert await demo.end() == 0, demo.text

    ids, services = {}, {}
    for line in demo.lines:
        found, number = SERVICE_LINE.match(line), NUMBER.search(line)
        if found and number:
            ids.setdefault(number[1], set()).add(found[2])
            services.setdefault(number[1], set()).add(found[1].strip())

    assert len(ids) >= 20
    assert all(len(of_request) == 1 for of_request in ids.values())
    assert len(set.union(*ids.values())) == len(ids)
    assert {"shop", "stock"} in services.values()


async def test_lines_interleave():
    """Requests come at the same time: lines of one stand between lines of another."""
    async with running("--seconds", "2") as demo:
        await demo.end()

    ids = [found[2] for line in demo.lines if (found := SERVICE_LINE.match(line))]
    changes = sum(one != other for one, other in itertools.pairwise(ids))
    assert changes > 1.5 * len(set(ids))


async def test_ctrl_c_ends_it_in_order():
    """Ctrl-C ends it like the time would: told apart, status 0, no child left."""
    async with running() as demo:
        await demo.until("order accepted")
        children = await demo.children()
        # As a terminal does: every process of the group gets it.
        os.killpg(demo.process.pid, signal.SIGINT)

        assert await demo.end() == 0, demo.text
    assert "Each line under its own request" in demo.text
    assert "Traceback (most recent call last):\n  File" not in demo.text
    assert len(children) == 2
    assert not any(map(alive, children))


async def test_second_ctrl_c_ends_it_at_once():
    """Who presses Ctrl-C twice does not wait, and leaves no child."""
    async with running() as demo:
        await demo.until("shop opened")
        children = await demo.children()
        demo.process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.05)  # two signals that are pending are one
        demo.process.send_signal(signal.SIGINT)

        assert await demo.end() == 130
    assert await all_gone(children)


async def test_children_do_not_outlive_a_kill():
    """Killed, it can do nothing more: its services end by themselves."""
    async with running() as demo:
        await demo.until("order accepted")
        children = await demo.children()
        demo.process.kill()
        await demo.process.wait()

        assert len(children) == 2
        assert await all_gone(children)


async def test_says_when_a_service_dies():
    """A service that ends by itself ends the demo with one clear line and status 1."""
    async with running() as demo:
        await demo.until("order accepted")
        stock, _shop = await demo.children()
        os.kill(stock, signal.SIGKILL)

        assert await demo.end() == 1
    assert demo.lines[-1] == (
        "otel-aiohttp-logs demo: stock ended by itself with status -9: "
        "see its lines above."
    )


async def test_says_what_is_wrong():
    """
    A line that stands under another request is found: the demo names it, and ends
    with status 1.
    """
    async with running() as demo:
        endpoint = (await demo.until("OTLP receiver")).split()[-1]
        number = NUMBER.search(await demo.until("order accepted"))[1]
        forged = ExportLogsServiceRequest()
        scope = forged.resource_logs.add().scope_logs.add()
        scope.scope.name = "shop"
        record = scope.log_records.add(trace_id=b"\xab" * 16, span_id=b"\xcd" * 8)
        record.body.string_value = "order accepted"
        record.attributes.add(key="order").value.int_value = int(number)
        async with ClientSession() as session:
            await session.post(f"{endpoint}/v1/logs", data=forged.SerializeToString())
        demo.process.send_signal(signal.SIGINT)

        assert await demo.end() == 1
    assert f"POST /orders/{number}: its line " in demo.text
    assert f"is under trace {'ab' * 16}" in demo.text
    assert "Each line under its own request" not in demo.text
