"""Threads that serve everybody belong to nobody, whichever request started them."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import multiprocessing.pool
import queue

from otel_aiohttp_logs import request_id

log = logging.getLogger("shop")


async def test_the_thread_of_a_queue_listener_is_nobodys(asked, said):
    """One that the first request starts handles the lines of all others, too."""
    lines, seen = queue.SimpleQueue(), []

    class Handler(logging.Handler):
        def emit(self, record):
            seen.append((record.getMessage(), record.request_id, request_id()))

    listener = logging.handlers.QueueListener(lines, Handler())
    handler = logging.handlers.QueueHandler(lines)

    async def work(name):
        if name == "first":
            log.addHandler(handler)
            listener.start()
        log.info(name)

    ids = {name: await asked(lambda n=name: work(n)) for name in ("first", "second")}
    await asyncio.to_thread(listener.stop)
    log.removeHandler(handler)

    assert seen == [(name, ids[name], None) for name in ("first", "second")]


async def test_the_threads_of_a_pool_of_multiprocessing_are_nobodys(asked):
    """Its workers take jobs of any request, and lines between them are nobody's."""
    seen = []

    async def work():
        with multiprocessing.pool.ThreadPool(1) as pool:
            result = pool.apply_async(request_id)
            seen.append(await asyncio.to_thread(result.get, 10))

    await asked(work)

    assert seen == [None]
