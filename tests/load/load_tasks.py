"""Kinds that spread over tasks, bodies and messages."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import TYPE_CHECKING

from aiohttp import web
from load_kind import LATE, Kind, add_routes, number_of, say
from opentelemetry import trace

if TYPE_CHECKING:
    from load_caller import Call, Caller

OK = "ok"


async def a_while():
    await asyncio.sleep(random.random() / 200)


async def speak(number, what):
    await a_while()
    say(number, what)


async def speak_in_a_span(number, what):
    with trace.get_tracer("load").start_as_current_span("inner"):
        await speak(number, what)


async def gather(request):
    number = number_of(request)
    parts = [speak(number, f"part {part}") for part in range(3)]
    await asyncio.gather(*parts, speak_in_a_span(number, "part in a span"))
    return web.Response(text=OK)


async def task_group(request):
    number = number_of(request)
    async with asyncio.TaskGroup() as group:
        for part in range(3):
            group.create_task(speak(number, f"grouped {part}"))
    return web.Response(text=OK)


async def during(request):
    number = number_of(request)
    task = asyncio.create_task(speak(number, "in a task"))
    say(number, "begun")
    await task
    return web.Response(text=OK)


async def after(request):
    number = number_of(request)
    served = asyncio.current_task()

    async def go_on():
        say(number, "going on")
        await asyncio.wait({served})
        await asyncio.sleep(0.01)
        say(number, f"{LATE} in a task")
        await asyncio.create_task(speak(number, f"{LATE} in its task"))

    request.app["tasks"].add(asyncio.create_task(go_on()))
    return web.Response(text=OK)


async def generator(request):
    number = number_of(request)

    async def body():
        for part in range(3):
            await speak(number, f"chunk {part}")
            yield b"chunk"

    return web.Response(body=body())


async def streamed(request):
    number = number_of(request)
    response = web.StreamResponse()
    await response.prepare(request)
    for part in range(3):
        await response.write(b"chunk")
        await speak(number, f"wrote {part}")
    await response.write_eof()
    say(number, "wrote all")
    return response


async def upload(request):
    number, size = number_of(request), 0
    say(number, "receiving")
    async for chunk in request.content.iter_any():
        if not size:
            say(number, "receiving its first bytes")
        size += len(chunk)
    say(number, f"received {size}")
    return web.Response(text=OK)


async def websocket(request):
    number = number_of(request)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    say(number, "open")
    async for message in socket:
        say(number, f"message {message.data}")
        await asyncio.gather(speak(number, f"message {message.data} in a task"))
        await socket.send_str(OK)
    say(number, "closed")
    return socket


async def send_much(caller: Caller, call: Call) -> None:
    async def much():
        for _ in range(4):
            yield b"x" * 20_000
            await a_while()

    async with caller.session.post(
        call.url, headers=call.headers, data=much()
    ) as response:
        call.answered(response)
        await response.read()


async def talk(caller: Caller, call: Call) -> None:
    async with caller.session.ws_connect(call.url, headers=call.headers) as socket:
        call.answered(socket._response)
        for message in ("1", "2", "3"):
            await socket.send_str(message)
            await socket.receive_str(timeout=10)


KINDS = (
    Kind("gather", gather, 4),
    *([Kind("task group", task_group, 3)] if sys.version_info >= (3, 11) else ()),
    Kind("task during", during, 2),
    Kind("task after", after, 3),
    Kind("generator body", generator, 3),
    Kind("streamed", streamed, 4),
    Kind("upload", upload, 3, method="POST", ask=send_much),
    Kind("websocket", websocket, 8, 101, ask=talk),
)


def add_to(app: web.Application) -> None:
    # A task that nobody holds may be collected before it ends.
    app["tasks"] = tasks = set()

    async def wait_for_tasks(_):
        await asyncio.gather(*tasks)

    app.on_cleanup.append(wait_for_tasks)
    add_routes(app, KINDS)
