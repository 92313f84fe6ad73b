"""Kinds that log elsewhere: each way there is, and what goes on after the request."""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings

from aiohttp import web
from load_kind import LATE, Kind, add_routes, number_of, say
from load_records import Records
from load_ways import Ways, ways_of

OK = "ok"


def handler_for(way: str):
    async def handler(request):
        number = number_of(request)
        say(number, "asking")
        await request.app["ways"][way](number, f"by {way}")
        say(number, "asked")
        return web.Response(text=OK)

    return handler


async def thread_after(request):
    number, ended = number_of(request), threading.Event()

    def go_on():
        say(number, "in a thread")
        ended.wait(10)
        say(number, f"{LATE} in a thread")

    thread = threading.Thread(target=go_on)
    thread.start()
    request.app["threads"].append(thread)
    loop = asyncio.get_running_loop()
    asyncio.current_task().add_done_callback(lambda _: loop.call_later(0.01, ended.set))
    return web.Response(text=OK)


async def callback_after(request):
    number, loop = number_of(request), asyncio.get_running_loop()

    def when_served(_):
        loop.call_later(0.01, say, number, f"{LATE} in a callback")

    asyncio.current_task().add_done_callback(when_served)
    say(number, "leaving a callback")
    return web.Response(text=OK)


WAYS = (*ways_of(Ways), *ways_of(Records))
OTHERS = ("warned",)
"""Ways by which others than the application's loggers write the line."""
KINDS = (
    *(
        Kind(
            name.replace("_", "-"),
            handler_for(name),
            lines=2 if name in OTHERS else 3,
            others=int(name in OTHERS),
        )
        for name in WAYS
    ),
    Kind("thread after", thread_after, 2),
    Kind("callback after", callback_after, 2),
)


def log_failure(args: threading.ExceptHookArgs) -> None:
    logging.getLogger("load.threads").error("%s", args.exc_value)


def add_to(app: web.Application) -> None:
    logging.captureWarnings(True)
    warnings.simplefilter("always", UserWarning)
    threading.excepthook = log_failure
    threads = app["threads"] = []
    owners = Ways(), Records()
    app["ways"] = {
        name: getattr(owner, name) for owner in owners for name in ways_of(type(owner))
    }

    async def close(_):
        for thread in threads:
            await asyncio.to_thread(thread.join)
        for owner in owners:
            owner.close()

    app.on_cleanup.append(close)
    add_routes(app, KINDS)
