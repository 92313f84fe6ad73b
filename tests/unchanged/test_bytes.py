"""Each kind of answer is the same to the byte, but for the request id and the date."""

from __future__ import annotations

import asyncio
import gzip
import os

import pytest
from unchanged_app import make_app
from unchanged_talks import TALKS
from unchanged_wire import say, statuses, without_ids

from otel_aiohttp_logs import stats


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "file.txt").write_text("0123456789")
    (folder / "zipped.txt").write_text("plain")
    (folder / "zipped.txt.gz").write_bytes(gzip.compress(b"zipped", mtime=0))
    for path in folder.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder


@pytest.fixture
async def answers(both, folder):
    """What each talk got, without us and with us, each as bytes and ids."""
    options = {"lingering_time": 0.2, "keepalive_timeout": 1}
    pair = await both(lambda: make_app(folder), **options)

    async def got(name):
        plain, ours = [await say(port, TALKS[name]) for port in pair]
        return name, without_ids(plain), without_ids(ours)

    failures = stats().telemetry_failures
    answers = await asyncio.gather(*map(got, TALKS))
    assert stats().telemetry_failures == failures
    return answers


async def test_answers(answers):
    """The bytes that clients get are those of the application as it is."""
    different = {
        name: (expected, ours)
        for name, (expected, _), (ours, _) in answers
        if ours != expected
    }

    assert different == {}


async def test_the_talks_are_what_they_say(answers):
    """Each talk got the status that its name stands for, and as many answers."""
    for name, (expected, _), _ in answers:
        found = statuses(expected)

        assert (name, found[0]) == (name, TALKS[name].status)
        assert (name, len(found)) == (name, TALKS[name].answers)


async def test_ids(answers):
    """
    Each answer to a request has one id more, and none twice. An id that the application
    itself has put there stays.
    """
    seen = []
    for name, (expected, own), (_, ids) in answers:
        if own:
            assert (name, ids) == (name, own)
            continue
        # The parser's 400 has no request, and an interim answer isn't the last one.
        answered = [s for s in statuses(expected) if s != b"100"]
        if not expected.startswith(b"HTTP/1.0 400 "):
            assert (name, len(ids)) == (name, len(answered))
        seen += ids
    assert len(set(seen)) == len(seen) > 50
