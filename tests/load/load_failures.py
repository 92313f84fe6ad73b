"""Kinds that end badly: failures, time-outs, refusals."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
from load_kind import Kind, add_routes, number_of, say

if TYPE_CHECKING:
    from load_caller import Call, Caller

OK = "ok"


class BrokenError(Exception):
    """The application's own failure; its text says whose it is."""


def broken(number: str, what: str) -> BrokenError:
    return BrokenError(f"~{number}~ {what}")


async def fail(request):
    number = number_of(request)
    say(number, "about to fail")
    raise broken(number, "failed")


async def time_out(request):
    say(number_of(request), "too slow")
    raise asyncio.TimeoutError


async def deadline(request):
    number = number_of(request)
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.01)
    finally:
        say(number, "past the deadline")


async def unhandled(request):
    """The body fails where aiohttp no longer expects it: "Unhandled exception"."""
    number = number_of(request)

    async def body():
        say(number, "chunk")
        yield b"chunk"
        raise broken(number, "in the body")

    return web.Response(body=body())


async def torn(request):
    """Fails when a part of the answer is out."""
    number = number_of(request)
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"chunk")
    say(number, "sent a part")
    raise broken(number, "half-way")


async def read_all(request):
    number = number_of(request)
    say(number, "reading")
    await request.read()
    return web.Response(text=OK)


async def signal(request):
    """A handler of ``on_response_prepare`` fails, see ``add_to``."""
    say(number_of(request), "answering")
    return web.Response(text=OK)


async def fail_in_signal(request, response):
    if request.path.startswith("/signal/"):
        number = request.path.strip("/~").split("~")[-1]
        raise broken(number, "in a signal")


async def never_retrieved(request):
    number = number_of(request)

    async def fail_alone():
        await asyncio.sleep(0.001)
        raise broken(number, "alone")

    task = asyncio.create_task(fail_alone())
    say(number, "not waiting")
    await asyncio.wait({task})
    return web.Response(text=OK)


async def callback(request):
    number = number_of(request)

    def fail_in_callback():
        raise broken(number, "in a callback")

    asyncio.get_running_loop().call_soon(fail_in_callback)
    say(number, "calling soon")
    await asyncio.sleep(0.005)
    return web.Response(text=OK)


async def until_it_ends(caller: Caller, call: Call) -> None:
    """Ask, and expect no answer, or none that is whole."""
    await caller.raw(call)


async def expect_wrongly(caller: Caller, call: Call) -> None:
    await caller.raw(call, "Expect: nonsense")


async def break_rules(caller: Caller, call: Call) -> None:
    await caller.raw(call, f"~{call.number}~ no header")


async def send_too_much(caller: Caller, call: Call) -> None:
    async with caller.session.post(
        call.url, headers=call.headers, data=b"x" * 200_000
    ) as response:
        call.answered(response)


KINDS = (
    Kind("fail", fail, 1, 500, others=1, error="BrokenError"),
    Kind("time-out", time_out, 1, 504, others=1, error="TimeoutError"),
    Kind("deadline", deadline, 1, 504, others=1, error="TimeoutError"),
    Kind("unhandled", unhandled, 1, ask=until_it_ends, others=1, error="BrokenError"),
    Kind("torn", torn, 1, ask=until_it_ends, others=1, error="BrokenError"),
    Kind("too large", read_all, 1, 413, method="POST", ask=send_too_much),
    Kind("signal", signal, 1, ask=until_it_ends, others=1, error="BrokenError"),
    Kind("never retrieved", never_retrieved, 1, others=1),
    Kind("callback", callback, 1, others=1),
    Kind("expectation", None, 0, 417, path="/handler", ask=expect_wrongly),
    Kind(
        "bad request",
        None,
        0,
        400,
        path="/handler",
        ask=break_rules,
        others=1,
        span=False,
    ),
)


def add_to(app: web.Application) -> None:
    app.on_response_prepare.append(fail_in_signal)
    add_routes(app, KINDS)
