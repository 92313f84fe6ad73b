"""Un-instrumenting leaves the process as it was, and other applications at work."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest
from aiohttp import web
from unchanged_process import difference, state

from otel_aiohttp_logs import instrument_app, request_id, uninstrument_app

log = logging.getLogger("shop")
TIMEOUT = 10


async def work(request):
    """Use all that has a hook."""
    loop = asyncio.get_running_loop()
    thread = threading.Thread(target=log.info, args=("in a thread",))
    thread.start()
    await asyncio.to_thread(thread.join)
    await loop.run_in_executor(None, log.info, "in a pool")
    log.info("in a request")
    return web.Response(text=str(request_id()))


async def error(request):
    raise ValueError(request.path)


def make_app():
    app = web.Application()
    app.router.add_get("/", work)
    app.router.add_get("/error", error)
    return app


async def ask(client, path="/"):
    async with client.get(path) as response:
        return response.headers.get("X-Request-ID"), await response.text()


async def changed_after(before):
    """Return what stays changed; what is queued is sent in the background."""
    end = time.monotonic() + TIMEOUT
    while changed := difference(before, state()):
        if time.monotonic() > end:
            break
        await asyncio.sleep(0.01)
    return changed


@pytest.fixture
def before(serve, quick_export):
    """
    Return a function: the state of the process before. What is imported and started
    late is there by then, such as the workers of the loop's pool.
    """

    async def before(**options):
        app = make_app()
        instrument_app(app, **options)
        client = await serve(app)
        await ask(client)
        await client.close()
        pool = asyncio.get_running_loop()._default_executor
        while len(pool._threads) < pool._max_workers:
            sleeping = (asyncio.to_thread(time.sleep, 0.01) for _ in range(99))
            await asyncio.gather(*sleeping)
        return state()

    return before


@pytest.mark.parametrize("ends", ["uninstrument", "clean-up"])
@pytest.mark.parametrize(
    "options",
    [
        {"output": "none"},
        {"output": "json", "access_log": "classic"},
        {"output": "console", "websocket_spans": True},
        {"output": "none", "pipeline": "sdk"},
    ],
    ids=str,
)
async def test_the_process_is_as_it_was(before, serve, ends, options):
    """
    Record factory, loggers, hooks, threads, the loop, and whatever can be called in
    logging, asyncio, threading and aiohttp: all is as before after the last one.
    """
    was, app = await before(**options), make_app()
    instrument_app(app, **options)
    client = await serve(app)
    await ask(client)
    await ask(client, "/error")
    meanwhile = difference(was, state())
    if ends == "uninstrument":
        uninstrument_app(app)
    else:
        await client.close()

    assert {"record factory", "logger root", "threading.Thread.start"} <= meanwhile
    assert await changed_after(was) == set()


async def test_the_other_one_goes_on(serve, quick_export, records, arrived):
    """
    Of two running applications one is un-instrumented: it's served as without us, and
    the other one keeps its ids, its hooks and its export.
    """
    one, two = make_app(), make_app()
    instrument_app(one, output="none")
    instrument_app(two, output="none")
    first, second = await serve(one), await serve(two)
    both = [await ask(first), await ask(second)]
    uninstrument_app(one)
    gone, goes_on = await ask(first), await ask(second)

    assert all(header == text for header, text in both)
    assert gone == (None, "None")
    assert goes_on[0] == goes_on[1] not in {None, both[0][0], both[1][0]}
    lines = await arrived.lines(12)
    ids = [line.attributes.get("request_id") for line in lines]
    assert [ids.count(header) for header, _ in (*both, goes_on)] == [3, 3, 3]
    assert ids.count(None) == 3


async def test_instrumented_again(before, serve, collector):
    """After an undoing, before the start or after the end, all works again."""
    was, app = await before(output="none"), make_app()
    instrument_app(app, output="none")
    uninstrument_app(app)
    instrument_app(app, output="none")
    client = await serve(app)
    first = await ask(client)
    uninstrument_app(app)
    assert await changed_after(was) == set()
    again = make_app()
    instrument_app(again, output="none")
    second = await ask(await serve(again))

    assert first[0] == first[1]
    assert second[0] == second[1] != first[0]
    wanted = {first[0], second[0]}

    def exported():
        return {span.attributes.get("request_id") for span in collector.spans}

    await collector.wait_until(lambda: wanted <= exported())
