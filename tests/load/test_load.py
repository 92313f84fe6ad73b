"""
Right on every line: all kinds of requests in one shuffled load, each line checked.
"""

from __future__ import annotations

import importlib.util
import sys

import pytest
from export.collector import FakeCollector
from load_figures import Figures
from load_run import run_load

RUNS = 3
REQUESTS = 1000


LOOPS = (
    "asyncio",
    *(["uvloop"] if importlib.util.find_spec("uvloop") else ()),
    *(["eager"] if sys.version_info >= (3, 12) else ()),
)
OTHERS = {
    "upstream's pipeline, spans of messages": {
        "options": {"PIPELINE": "sdk", "WEBSOCKET_SPANS": "true"}
    },
    "classic access lines, span events": {
        "options": {"ACCESS_LOG": "classic", "SPAN_EVENTS": "true"}
    },
    "a loop that isn't in the main thread": {"loop": "thread"},
}


@pytest.mark.parametrize("loop", LOOPS)
async def test_each_line_has_the_ids_of_its_request(loop, tmp_path, table):
    """
    Of 1,000 requests of all kinds, 64 at a time, each line has the ids of its own
    request or, where it belongs to none, no ids; each request has one SERVER span, and
    all of it arrives in both places. Three times.
    """
    figures = Figures()
    for seed in range(RUNS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        figures.add(await judged(folder, loop=loop, seed=seed))
    table(figures.table(loop, RUNS * REQUESTS))

    assert figures.examples[:5] == []
    assert figures.odd == {}


@pytest.mark.parametrize("how", OTHERS)
async def test_other_ways_to_run(how, tmp_path):
    """The same with what can be chosen, once."""
    figures = await judged(tmp_path, **OTHERS[how])

    assert figures.examples[:5] == []
    assert figures.odd == {}


async def judged(folder, **how) -> Figures:
    """Run the load once, and judge it; the program may write nothing to stderr."""
    collector = FakeCollector()
    try:
        run = await run_load(collector, folder, requests=REQUESTS, **how)
    finally:
        collector.close()

    assert run.errors == ""
    return run.figures
