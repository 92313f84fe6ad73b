"""One request across three services: one trace, one id, and each thing in its place."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import aiohttp
from chain_found import found_by_trace
from chain_kinds import KINDS, Wanted

REQUESTS = 200


async def ask(session, url, number, kind):
    """Return the request id that the shop answered with."""
    async with session.get(f"{url}/orders/{number}?kind={kind}") as response:
        await response.read()
        return response.headers["X-Request-ID"]


async def ask_all(url, orders):
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        calls = [ask(session, url, number, kind) for number, kind in orders.items()]
        return dict(zip(orders, await asyncio.gather(*calls), strict=True))


def count_spans(tree):
    return 1 + sum(map(count_spans, tree.children))


async def test_200_requests_at_once(chain, collector, pipeline, figure):
    """
    Failures, redirects, retries, lost connections, timeouts: each request is one
    trace, each span under its parent, each line under its span, with the fields that
    were bound there and no others, and all with the request id of the answer.
    """
    shop, end = chain
    kinds = [KINDS[n % len(KINDS)] for n in range(REQUESTS)]
    random.shuffle(kinds)
    orders = dict(enumerate(kinds, 1000))
    answers = await ask_all(shop, orders)
    await asyncio.to_thread(end)

    lines = [line for line in collector.logs if line.trace_id]
    traces = found_by_trace(collector.spans, lines)
    wanted = {number: Wanted(number).tree(kind) for number, kind in orders.items()}
    wrong = compare(wanted, answers, traces)
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(kinds).items()))
    figure(
        f"pipeline {pipeline}: {REQUESTS} requests at once ({counts}); "
        f"{len(traces)} traces, {len(collector.spans)} spans, {len(lines)} lines, "
        f"{len(wrong)} requests with anything in a wrong place"
    )

    assert [line.body for line in collector.logs if not line.trace_id] == []
    assert not wrong, wrong[0]
    assert len(set(answers.values())) == len(traces) == REQUESTS
    assert sum(found.lost for found in traces.values()) == 0
    assert len(collector.spans) == sum(map(count_spans, wanted.values()))


def compare(wanted, answers, traces):
    """Return what was found and what was wanted, of each request that differs."""
    by_id = {id_: found for found in traces.values() for id_ in found.request_ids}
    return [
        f"order {number}:\n{found}\n\nwanted:\n{tree}"
        for number, tree in wanted.items()
        for found in [by_id.get(answers[number])]
        if found is None
        or found.roots != [tree]
        or found.request_ids != {answers[number]}
    ]
