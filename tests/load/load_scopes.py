"""Kinds that say what belongs to them: bound fields, steps, what they leave."""

from __future__ import annotations

import asyncio
import threading

from aiohttp import web
from load_kind import BOUND, NONE, Kind, add_routes, number_of, say
from load_tasks import a_while, speak

from otel_aiohttp_logs import bind, bound, detached, step

OK = "ok"


async def bind_once(request):
    number = number_of(request)
    say(number, "before")
    bind(order=number)
    say(number, f"{BOUND} in the handler")
    await asyncio.gather(*(speak(number, f"{BOUND} in {part}") for part in range(2)))
    await asyncio.to_thread(say, number, f"{BOUND} in a thread")
    return web.Response(text=OK)


async def bound_block(request):
    number = number_of(request)
    with bound(order=number):
        await speak(number, f"{BOUND} in the block")
        task = asyncio.create_task(speak(number, f"{BOUND} in its task"))
    say(number, "after the block")
    await task
    return web.Response(text=OK)


async def steps(request):
    number = number_of(request)
    with step(f"~{number}~ outer"):
        await a_while()
        async with step(f"~{number}~ inner"):
            await speak(number, "in both")
        say(number, "in the outer one")
    say(number, "after")
    return web.Response(text=OK)


async def leaving(request):
    """What is begun in ``detached()`` is nobody's, also in its tasks and threads."""
    number = number_of(request)
    say(number, "before")
    with detached():
        say(NONE, "detached")
        task = asyncio.create_task(speak(NONE, "detached in a task"))
        thread = threading.Thread(target=say, args=(NONE, "detached in a thread"))
        thread.start()
        await asyncio.to_thread(say, NONE, "detached in a pool")
    say(number, "after")
    await task
    await asyncio.to_thread(thread.join)
    return web.Response(text=OK)


KINDS = (
    Kind("bind", bind_once, 5, binds=True),
    Kind("bound", bound_block, 3),
    Kind("step", steps, 5),
    Kind("detached", leaving, 2),
)


def add_to(app: web.Application) -> None:
    add_routes(app, KINDS)
