"""What the event loop says of a failed task or callback has its request's ids."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from functools import partial

import pytest
from aiohttp import web

from otel_aiohttp_logs import instrument_app, request_id, uninstrument_app
from otel_aiohttp_logs.record.said import said as fields_of

log = logging.getLogger("shop")


@pytest.fixture
def complaints(records):
    """The lines of the logger asyncio, once there are any: (start, request's id)."""

    async def heard(number=1):
        for _ in range(200):
            gc.collect()
            lines = [r for r in records if r.name == "asyncio" and r.levelno >= 30]
            if len(lines) >= number:
                return [(r.getMessage().split("\n")[0], r.request_id) for r in lines]
            await asyncio.sleep(0.01)
        raise AssertionError("the loop said nothing")

    return heard


async def fails():
    raise ValueError("no tea")


def fails_now():
    raise ValueError("no jam")


async def never():
    await asyncio.get_running_loop().create_future()


async def task():
    asyncio.create_task(fails())  # noqa: RUF006 (nobody awaits it, on purpose)
    await asyncio.sleep(0.01)


async def late_task():
    async def later():
        await asyncio.sleep(0.05)
        raise ValueError("late")

    asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(later()))
    await asyncio.sleep(0)


async def eager_task():
    made = asyncio.Task(fails(), loop=asyncio.get_running_loop(), eager_start=True)
    assert made.done()


async def gathered():
    asyncio.gather(fails(), fails())
    await asyncio.sleep(0.01)


async def callback():
    asyncio.get_running_loop().call_soon(fails_now)


async def later_callback():
    asyncio.get_running_loop().call_later(0.02, fails_now)


async def done_callback():
    asyncio.ensure_future(asyncio.sleep(0)).add_done_callback(lambda _: fails_now())
    await asyncio.sleep(0)


async def pending():
    asyncio.create_task(never())  # noqa: RUF006 (thrown away, on purpose)
    await asyncio.sleep(0)


async def job():
    asyncio.get_running_loop().run_in_executor(None, fails_now)


FAILURES = {
    task: "Task exception was never retrieved",
    late_task: "Task exception was never retrieved",
    gathered: "_GatheringFuture exception was never retrieved",
    callback: "Exception in callback",
    later_callback: "Exception in callback",
    done_callback: "Exception in callback",
    pending: "Task was destroyed but it is pending!",
    job: "Future exception was never retrieved",
}
if sys.version_info >= (3, 12):
    FAILURES[eager_task] = "Task exception was never retrieved"


@pytest.mark.parametrize("work", FAILURES)
async def test_each_complaint_has_its_requests_ids(asked, complaints, work):
    """Whatever failed in whichever way: the line says which request it was."""
    asked_id = await asked(work)

    ((text, found),) = await complaints()
    assert text.startswith(FAILURES[work])
    assert found == asked_id


@pytest.mark.parametrize("own_handler", ["before", "after", None])
async def test_thrown_away_in_another_request(asked, records, complaints, own_handler):
    """
    The ids are those of the request that made the task, and none if no request did,
    though another request is being served when the garbage collector finds it.
    """
    loop, kept = asyncio.get_running_loop(), []

    def handler(_, context):
        log.warning("%s", context["message"])

    async def make():
        kept.append(asyncio.create_task(fails()))
        await asyncio.sleep(0.01)

    async def throw_away():
        if own_handler == "after":
            loop.set_exception_handler(handler)
        kept.clear()
        gc.collect()

    if own_handler == "before":
        loop.set_exception_handler(handler)
    asked_id = await asked(make)
    await make()
    await asked(throw_away)
    loop.set_exception_handler(None)

    wanted = "shop" if own_handler else "asyncio"
    found = [r.request_id for r in records if r.name == wanted]
    assert sorted(found, key=str) == sorted([asked_id, None], key=str)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_applications_own_handler(asked, said, when):
    """Set before or after the start, it's called once, with what it always gets."""
    loop, calls = asyncio.get_running_loop(), []

    def handler(*args):
        calls.append((*args, request_id()))
        log.error("failed")

    async def work():
        if when == "after":
            loop.set_exception_handler(handler)
        loop.call_soon(fails_now)

    if when == "before":
        loop.set_exception_handler(handler)
    asked_id = await asked(work)
    await asyncio.sleep(0)
    loop.set_exception_handler(None)

    ((its_loop, context, seen),) = calls
    assert its_loop is loop
    assert context["message"].startswith("Exception in callback")
    assert repr(context["exception"]) == "ValueError('no jam')"
    assert seen == asked_id
    assert said() == [("failed", asked_id)]


async def test_a_complaint_after_the_end_is_marked(asked, records, complaints):
    """What fails when its request is over says so, with how long after."""
    asked_id = await asked(later_callback)

    assert (await complaints())[0][1] == asked_id
    (line,) = [r for r in records if r.name == "asyncio"]
    fields = fields_of(line).fields
    assert fields["request.ended"] is True
    assert 0 < fields["request.ended_after"] < 10


async def test_a_failure_outside_of_requests(asked, complaints):
    """It's handled as without us, and has no ids."""
    await asked(partial(asyncio.sleep, 0))
    await callback()

    assert [found for _, found in await complaints()] == [None]


async def test_a_call_by_the_application_itself(asked, complaints):
    """With no task in it, it belongs to the request that calls."""

    async def work():
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "the kettle is empty"})

    asked_id = await asked(work)

    assert await complaints() == [("the kettle is empty", asked_id)]


async def test_a_call_about_the_task_that_calls(asked, complaints):
    """A context that is in use right now is no obstacle."""

    async def work():
        about = {"message": "too hot", "task": asyncio.current_task()}
        asyncio.get_running_loop().call_exception_handler(about)

    asked_id = await asked(work)

    assert await complaints() == [("too hot", asked_id)]


async def test_each_loop_is_left_as_it_was(serve, monkeypatch):
    """Also with a second application, and with the hook switched off."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    loop, states = asyncio.get_running_loop(), []
    names = {"call_exception_handler", "run_in_executor"}
    for hooks in ("all", "threads"):
        apps = [web.Application(), web.Application()]
        for app in apps:
            instrument_app(app, output="none", hooks=hooks)
            await serve(app)
        states.append(names & vars(loop).keys())
        for app in apps:
            uninstrument_app(app)
            states.append(names & vars(loop).keys())

    assert states == [names, names, set(), set(), set(), set()]
