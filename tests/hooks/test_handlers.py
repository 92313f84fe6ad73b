"""A record has its ids from its creation, wherever and whenever it's handled."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import logging.handlers
import queue
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from otel_aiohttp_logs import JSONFormatter, request_id

log = logging.getLogger("shop")


@pytest.fixture
def put_on():
    """Put a handler on a logger, until the test ends."""
    put = []

    def put_on(handler, logger=log):
        logger.addHandler(handler)
        put.append((logger, handler))
        return handler

    yield put_on
    for logger, handler in put:
        logger.removeHandler(handler)


@pytest.fixture
def target():
    """A stream with a JSON line for each record: (message, request's id)."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())

    def shown():
        lines = map(json.loads, stream.getvalue().splitlines())
        return [(line["message"], line.get("request_id")) for line in lines]

    handler.shown = shown
    return handler


@pytest.fixture
async def load(asked):
    """Ask for ten requests at a time; each says its id in its line's text."""

    async def work():
        for _ in range(2):
            log.info("of %s", request_id())
            await asyncio.sleep(0)

    async def run():
        ids = await asyncio.gather(*(asked(work) for _ in range(10)))
        return sorted([(f"of {one}", one) for one in ids] * 2)

    return run


async def test_a_queue_and_its_listener(records, put_on, target, load):
    """What the listener's thread writes has the ids of the request that logged it."""
    lines = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(lines, target)
    put_on(logging.handlers.QueueHandler(lines))
    listener.start()
    expected = await load()
    await asyncio.to_thread(listener.stop)

    assert sorted(target.shown()) == expected


async def test_a_handler_that_keeps_records(records, put_on, target, asked, load):
    """Those of a MemoryHandler are written by another request, or by none."""
    memory = put_on(logging.handlers.MemoryHandler(1000, logging.CRITICAL, target))
    expected = await load()
    assert target.shown() == []

    async def flush():
        memory.flush()

    await asked(flush)

    assert sorted(target.shown()) == expected


async def test_a_handler_with_a_thread_of_its_own(records, put_on, target, load):
    """One that writes in a pool gives each record's ids, not the worker's."""
    with ThreadPoolExecutor(2) as pool:

        class Elsewhere(logging.Handler):
            def emit(self, record):
                pool.submit(target.handle, record)

        put_on(Elsewhere())
        expected = await load()

    assert sorted(target.shown()) == expected


async def test_a_format_string(records, put_on, load):
    """``%(request_id)s`` of logging's own formatter, in a listener's thread."""
    lines, stream = queue.SimpleQueue(), io.StringIO()
    plain = logging.StreamHandler(stream)
    plain.setFormatter(logging.Formatter("%(message)s|%(request_id)s"))
    listener = logging.handlers.QueueListener(lines, plain)
    put_on(logging.handlers.QueueHandler(lines))
    listener.start()
    expected = await load()
    await asyncio.to_thread(listener.stop)

    shown = [tuple(line.split("|")) for line in stream.getvalue().splitlines()]
    assert sorted(shown) == expected


async def test_captured_warnings(records, asked):
    """The line of a warning belongs to the request that caused it, in a thread, too."""

    def old():
        warnings.warn(f"old tea of {threading.current_thread().name}", stacklevel=1)

    async def work():
        old()
        thread = threading.Thread(target=old)
        thread.start()
        await asyncio.to_thread(thread.join, 10)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        try:
            ids = [await asked(work) for _ in range(2)]
        finally:
            logging.captureWarnings(False)

    found = [r.request_id for r in records if r.name == "py.warnings"]
    assert ids[0] != ids[1]
    assert found == [ids[0], ids[0], ids[1], ids[1]]
