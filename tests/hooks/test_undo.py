"""Hooks end with the last application, can be switched off, and live with others."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from opentelemetry.instrumentation.threading import ThreadingInstrumentor

from otel_aiohttp_logs import instrument_app, request_id, uninstrument_app

HOOKED = (
    (threading.Thread, "start"),
    (ThreadPoolExecutor, "submit"),
    (Future, "add_done_callback"),
    (RequestHandler, "_make_error_handler"),
    (RequestHandler, "log_exception"),
    (RequestHandler, "log_debug"),
)


def methods():
    filters = tuple(logging.getLogger("asyncio").filters)
    return [*(vars(owner)[name] for owner, name in HOOKED), filters]


@pytest.fixture(autouse=True)
def _methods_untouched():
    """Every test leaves the methods of the process as it found them."""
    before = methods()
    yield
    assert methods() == before


async def in_thread():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(request_id()))
    thread.start()
    await asyncio.to_thread(thread.join, 10)
    return seen[0]


async def in_pool():
    return await asyncio.get_running_loop().run_in_executor(None, request_id)


@pytest.fixture
def answers(asked):
    """Ask an application: whether a thread and a job of the request know its id."""

    async def ask(**options):
        seen = []

        async def work():
            seen.extend([await in_thread(), await in_pool()])

        asked_id = await asked(work, **options)
        return [one == asked_id for one in seen]

    return ask


async def test_undone_with_the_last_application(serve, monkeypatch):
    """While one of two is instrumented the hooks are on; then all is as it was."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    before, states, apps = methods(), [], [web.Application(), web.Application()]
    for app in apps:
        instrument_app(app, output="none")
        await serve(app)
    states.append(methods() == before)
    for app in apps:
        uninstrument_app(app)
        states.append(methods() == before)

    assert states == [False, False, True]


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        ("all", [True, True]),
        (None, [True, True]),
        ("none", [False, False]),
        ("threads", [True, False]),
        (" executors , threads ", [True, True]),
    ],
)
async def test_switched_off(answers, hooks, expected):
    """By the option: all, none, or some by their names; the rest works as before."""
    assert await answers(hooks=hooks) == expected


async def test_switched_off_by_the_variable(answers, monkeypatch):
    """OTEL_AIOHTTP_LOGS_HOOKS means the same as the option."""
    monkeypatch.setenv("OTEL_AIOHTTP_LOGS_HOOKS", "executors")

    assert await answers() == [False, True]


def test_an_unknown_name():
    """One error at start, which names the setting and what to write."""
    with pytest.raises(
        ValueError,
        match=r"HOOKS \(option hooks\) is 'thread': write all, none, or some of",
    ):
        instrument_app(web.Application(), hooks="thread")


@pytest.mark.parametrize("first", ["contrib", "ours"])
async def test_with_contribs_threading_instrumentation(serve, monkeypatch, first):
    """Whichever came first: the ids are right, and undoing ours leaves theirs."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    seen, app, contrib = [], web.Application(), ThreadingInstrumentor()

    async def handler(request):
        seen.append((request["request_id"], await in_thread(), await in_pool()))
        return web.Response()

    app.router.add_get("/", handler)
    instrument_app(app, output="none")
    if first == "contrib":
        contrib.instrument()
    client = await serve(app)
    if first == "ours":
        contrib.instrument()
    theirs = methods()
    await client.get("/")
    outside = await in_thread(), await in_pool()
    await client.close()
    after = methods()
    still = threading.Thread(target=int)
    still.start()
    contrib.uninstrument()
    _mend()

    assert seen == [(seen[0][0],) * 3]
    assert outside == (None, None)
    assert (after[:2] == theirs[:2]) == (first == "ours")
    assert all(hasattr(method, "__wrapped__") for method in after[:2])


def _mend():
    """Ours stays, switched off, where theirs stood around it: take it off by hand."""
    for owner, name in HOOKED[:2]:
        method = vars(owner)[name]
        while hasattr(method, "__wrapped__"):
            method = method.__wrapped__
        setattr(owner, name, method)
    # What it leaves there would hide what a Thread does by then.
    del threading.Timer.start


def depth():
    """How many replacements of Thread.start stand around each other."""
    method, steps = threading.Thread.start, 0
    while hasattr(method, "__wrapped__"):
        method, steps = method.__wrapped__, steps + 1
    return steps


def _around(inner):
    """A replacement by somebody else."""

    @wraps(inner)
    def theirs(thread):
        inner(thread)

    return theirs


async def test_somebody_elses_replacement_stays(asked):
    """One put around ours is never thrown away, and ours is not put on twice."""
    depths, calls, original = [], [], threading.Thread.start

    async def replace():
        inner = threading.Thread.start

        @wraps(inner)
        def theirs(thread):
            calls.append(thread)
            inner(thread)

        threading.Thread.start = theirs

    async def look():
        depths.append(depth())

    await _once(replace)
    await _once(look)
    await in_thread()
    threading.Thread.start = original

    assert len(calls) >= 1
    assert depths == [2]


async def test_ours_only_passes_on_where_it_had_to_stay(serve, monkeypatch):
    """When we are gone, even the context of a request isn't carried any more."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    original, contexts = threading.Thread.start, []

    async def handler(_):
        contexts.append(contextvars.copy_context())
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    instrument_app(app, output="none")
    client = await serve(app)
    ours = threading.Thread.start
    threading.Thread.start = _around(ours)
    await client.get("/")
    await client.close()
    seen = []
    thread = threading.Thread(target=lambda: seen.append(request_id()))
    contexts[0].run(thread.start)
    await asyncio.to_thread(thread.join, 10)
    threading.Thread.start = original

    assert contexts[0].run(request_id) is not None
    assert seen == [None]


async def _once(work, *args):
    """Start an application, do *work* while it runs, and end it."""
    app = web.Application()
    instrument_app(app, output="none")
    runner = web.AppRunner(app)
    await runner.setup()
    await work(*args)
    await runner.cleanup()
