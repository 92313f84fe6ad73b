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


async def test_200_requests_at_once(chain, collector, figure):
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
    outside = [line.body for line in collector.logs if not line.trace_id]
    traces = found_by_trace(collector.spans, lines)
    by_id = {id_: found for found in traces.values() for id_ in found.request_ids}
    wanted = {number: Wanted(number).tree(kind) for number, kind in orders.items()}
    wrong = {
        (kinds, number): (by_id.get(answers[number]), tree)
        for (number, kinds), tree in zip(orders.items(), wanted.values(), strict=True)
        if by_id.get(answers[number]) is None
        or by_id[answers[number]].roots != [tree]
        or by_id[answers[number]].request_ids != {answers[number]}
    }
    said(figure, orders, traces, wrong)

    assert outside == []
    assert not wrong, first_difference(wrong)
    assert len(set(answers.values())) == len(traces) == REQUESTS
    assert sum(found.lost for found in traces.values()) == 0
    assert len(collector.spans) == sum(map(count_spans, wanted.values()))


def said(figure, orders, traces, wrong):
    kinds = ", ".join(
        f"{n} {kind}" for kind, n in sorted(Counter(orders.values()).items())
    )
    figure(f"{len(orders)} requests at once: {kinds}")
    figure(
        f"{len(traces)} traces, {sum(f.spans for f in traces.values())} spans, "
        f"{sum(f.lines for f in traces.values())} lines; "
        f"{len(wrong)} requests with anything in a wrong place"
    )


def first_difference(wrong):
    """Both trees of one request: all two hundred would be unreadable."""
    (kind, number), (found, tree) = next(iter(wrong.items()))
    return f"{len(wrong)} wrong; order {number}, {kind}:\n{found}\n\nwanted:\n{tree}"
