"""Kinds by the shape of what answers: handlers, views, sub-applications, files."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from load_kind import Kind, add_routes, number_of, say
from opentelemetry import trace

if TYPE_CHECKING:
    from load_caller import Call, Caller

OK = "ok"


async def handler(request):
    number = number_of(request)
    say(number, "first")
    await asyncio.sleep(0)
    with trace.get_tracer("load").start_as_current_span("inner"):
        say(number, "in a child span")
        await asyncio.sleep(0.001)
    say(number, "last")
    return web.Response(text=OK)


class Shown(web.View):
    async def get(self):
        say(number_of(self.request), "view")
        await asyncio.sleep(0)
        say(number_of(self.request), "view again")
        return web.Response(text=OK)


def around(name):
    """Return a middleware that says a line before and after, for one kind."""

    @web.middleware
    async def speaking(request, handler):
        if not request.path.startswith("/middleware/"):
            return await handler(request)
        number = request.path.strip("/~").split("~")[-1]
        say(number, f"{name} before")
        response = await handler(request)
        say(number, f"{name} after")
        return response

    return speaking


async def one_line(request):
    say(number_of(request), "handling")
    return web.Response(text=OK)


@web.middleware
async def of_the_sub_application(request, handler):
    say(number_of(request), "the sub-application's middleware")
    return await handler(request)


def sub_application():
    inner = web.Application(middlewares=[of_the_sub_application])
    inner.router.add_get("/{n}", one_line)
    outer = web.Application(middlewares=[of_the_sub_application])
    outer.add_subapp("/nested", inner)
    return outer


async def on_prepare(request, response):
    if request.path.startswith(("/prepare/", "/static/")):
        say(request.path.strip("/~").split("~")[-1], "preparing")
        response.headers["X-Prepared"] = "yes"


async def redirect(request):
    say(number_of(request), "elsewhere")
    raise web.HTTPFound("/elsewhere")


async def refuse(request):
    say(number_of(request), "refused")
    raise web.HTTPForbidden


async def nothing(request):
    say(number_of(request), "no answer")


async def delete(caller: Caller, call: Call) -> None:
    async with caller.session.delete(call.url, headers=call.headers) as response:
        call.answered(response)


async def on_the_same_connection(caller: Caller, call: Call) -> None:
    """Ask on one of few connections, which is then used again."""
    async with caller.few.get(call.url, headers=call.headers) as response:
        call.answered(response)
        await response.read()


async def in_one_packet(caller: Caller, call: Call) -> None:
    await caller.pipelined(call)


KINDS = (
    Kind("handler", handler, 3),
    Kind("view", Shown, 2),
    Kind("middleware", one_line, 5),
    Kind("sub-application", None, 3, path="/sub-application/nested"),
    Kind("prepare", one_line, 2),
    Kind("static", None, 1),
    Kind("not found", None, 0, 404, path="/nowhere"),
    Kind("not allowed", None, 0, 405, path="/handler", ask=delete),
    Kind("redirect", redirect, 1, 302),
    Kind("refuse", refuse, 1, 403),
    Kind("nothing", nothing, 1, 500, others=1, error="500"),
    Kind("keep-alive", one_line, 1, ask=on_the_same_connection),
    Kind("pipelined", handler, 3, ask=in_one_packet),
)


def add_to(app: web.Application, numbers: range) -> None:
    folder = tempfile.TemporaryDirectory()
    for number in numbers:
        Path(folder.name, f"~{number}~").write_text(OK)

    async def remove_folder(_):
        folder.cleanup()

    app.on_cleanup.append(remove_folder)
    app.router.add_static("/static", folder.name)
    app.middlewares.extend([around("outer"), around("inner")])
    app.on_response_prepare.append(on_prepare)
    app.add_subapp("/sub-application", sub_application())
    add_routes(app, KINDS)
