"""The check of the load can fail: each way to be wrong is found, and called so."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from load_judge import LEAKED, MISSING, NOBODY, WRONG
from load_run import KINDS, Run, run_load

NO_IDS = {"trace_id": None, "span_id": None, "request_id": None}
IDS = tuple(NO_IDS)


@pytest.fixture
async def run(collector, tmp_path):
    """A small run, to be spoilt."""
    return await run_load(collector, tmp_path, requests=2 * len(KINDS))


def changed(lines, of, change):
    """Return *lines*, those of the logger *of* changed."""
    return [change(line) if line.logger == of else line for line in lines]


async def test_spoilt_lines(run: Run):
    """Ids of another request are wrong, none are missing, and lost lines are odd."""
    before = run.figures
    numbered = [line for line in run.shown if line.identity not in {None, "none"}]
    donors = random.Random(1).sample(numbered, len(numbered))

    def with_others_ids(line):
        donor = next(d for d in donors if d.request_id != line.request_id)
        return replace(line, **{name: getattr(donor, name) for name in IDS})

    def count(verdict, **changes):
        figures = replace(run, **changes).figures
        return figures.total(verdict) - before.total(verdict)

    shuffled = changed(run.shown, "load", with_others_ids)
    own = sum(line.logger == "load" for line in numbered)
    assert count(WRONG, shown=shuffled) >= own
    bare = changed(run.arrived, "load", lambda line: replace(line, **NO_IDS))
    assert count(MISSING, arrived=bare) == own
    half = changed(run.shown, "load", lambda line: replace(line, span_id="0" * 16))
    assert count(WRONG, shown=half) >= own
    marked = {"request.ended": True}
    late = changed(run.shown, "load", lambda line: replace(line, fields=marked))
    assert count(WRONG, shown=late) > own / 2
    assert replace(run, shown=run.shown[:-9]).figures.odd != before.odd
    assert replace(run, arrived=run.arrived * 2).figures.odd != before.odd


async def test_spoilt_spans(run: Run):
    """A span that was not exported, or twice, or with other ids, is found."""
    servers = [span for span in run.spans if span.proto.kind == 2]
    foreign = replace(servers[0], trace_id="1" * 32)

    for spoilt in (servers[1:], [*servers, servers[0]], [*servers[1:], foreign]):
        figures = replace(run, spans=spoilt).figures
        assert figures.odd.total() + figures.total(WRONG) > run.figures.odd.total()
    lost = replace(run, spans=[s for s in run.spans if s.name != "inner"])
    assert lost.figures.total(WRONG) > run.figures.total(WRONG)


async def test_a_program_that_leaks(collector, tmp_path):
    """What a request begins without ``detached()`` is found with its ids."""
    run = await run_load(
        collector, tmp_path, requests=2 * len(KINDS), variant="leaking"
    )

    assert run.figures.kinds[NOBODY][LEAKED] >= 4


async def test_a_program_without_hooks(collector, tmp_path):
    """What only a hook reaches is missing then, and nothing is wrong besides."""
    run = await run_load(
        collector, tmp_path, requests=2 * len(KINDS), options={"HOOKS": "none"}
    )

    figures = run.figures
    missing = {kind for kind, counted in figures.kinds.items() if counted[MISSING]}
    assert missing >= {"thread", "timer", "submitted", "unhandled", "bad request"}
    assert missing.isdisjoint({"handler", "gather", "to-thread", "queued", NOBODY})
    assert (figures.total(WRONG), figures.total(LEAKED)) == (0, 0)


async def test_spoilt_answers(run: Run):
    """An answer without the id's header, or with another id than the span's, is odd."""
    calls = [call for call in run.calls if call.request_id is not None]

    for spoilt in (None, "another"):
        changed = [replace(calls[0], request_id=spoilt), *run.calls]
        changed.remove(calls[0])
        figures = replace(run, calls=changed).figures
        assert figures.odd.total() > run.figures.odd.total()
