"""
The service that is measured, in a process of its own.

    python service.py VARIANT LISTENING_DESCRIPTOR ANSWERS_DESCRIPTOR

It is told what to do on stdin, one command a line, and answers on a pipe of its own:
requests for that would be measured with the others.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import socket
import sys
import threading

from aiohttp import web
from variants import VARIANTS, Variant

log = logging.getLogger("shop.orders")
pool_log = logging.getLogger("shop.pool")


async def order(request: web.Request) -> web.Response:
    """Log as many lines as the path says, as a handler does: text, values, fields."""
    for number in range(int(request.match_info["lines"])):
        log.info(
            "item %s was looked up in the stock",
            number,
            extra={"item": number, "warehouse": "north"},
        )
    return web.Response(text="served")


async def slow(request: web.Request) -> web.Response:
    await asyncio.sleep(0.2)
    return await order(request)


async def fails(request: web.Request) -> web.Response:
    await order(request)
    msg = "the order is lost"
    raise RuntimeError(msg)


async def mixed(request: web.Request) -> web.Response:
    """Log from everywhere, and let others go first in between. Every eighth raises."""
    number = int(request.match_info["number"])
    log.info("handler begins #%d#", number)
    await asyncio.sleep(number % 7 / 100)
    await asyncio.to_thread(pool_log.info, "to_thread #%d#", number)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, pool_log.info, "executor #%d#", number)
    await asyncio.create_task(_later(number))
    log.info("handler ends #%d#", number)
    if number % 8 == 0:
        msg = f"the order is lost #{number}#"
        raise RuntimeError(msg)
    return web.Response(text="served")


async def _later(number: int) -> None:
    await asyncio.sleep(0.01)
    log.info("task #%d#", number)


def obey(variant: Variant, answers: int) -> None:
    """Do what stdin says until it ends; no request is involved, so none is counted."""
    access_log = logging.getLogger("aiohttp.access")
    as_it_was = None
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        answer: object = None
        if command == "access":
            if argument == "off" and as_it_was is None:
                as_it_was = access_log.level
                access_log.setLevel(logging.CRITICAL)
            elif argument == "on" and as_it_was is not None:
                access_log.setLevel(as_it_was)
                as_it_was = None
        elif command == "flush":
            answer = bool(variant.flush())
        elif command == "dropped":
            answer = variant.dropped()
        elif command == "objects":
            answer = len(gc.get_objects())
        os.write(answers, json.dumps(answer).encode() + b"\n")


def settle_malloc() -> None:
    """
    Have large buffers come from the heap, as in a service that has freed one before.

    glibc asks the kernel for each until one of them is freed, and asyncio takes 256 KiB
    to read a request: that's three system calls and 10 µs, for ever or until something
    large is freed. An exporter's bodies are that; a service with nothing else to do has
    none, and would seem slower without an exporter than with it (mallopt(3),
    M_MMAP_THRESHOLD).
    """
    bytes(1 << 20)


def main() -> None:
    settle_malloc()
    name, listening, answers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    variant = VARIANTS[name]()
    app = web.Application()
    app.router.add_get("/orders/{lines}", order)
    app.router.add_get("/slow/{lines}", slow)
    app.router.add_get("/fails/{lines}", fails)
    app.router.add_get("/mixed/{number}", mixed)
    for number in range(int(os.environ.get("ROUTES", "0"))):
        app.router.add_get(f"/route{number}/{{lines}}", order)
    variant.instrument(app)
    threading.Thread(target=obey, args=(variant, answers), daemon=True).start()
    web.run_app(
        app, sock=socket.socket(fileno=listening), print=None, shutdown_timeout=1
    )


if __name__ == "__main__":
    main()
