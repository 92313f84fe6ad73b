"""What an application sees of itself is the same with and without us."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from unchanged_talks import get
from unchanged_wire import TIMEOUT

PATHS = ("/", "/error", "/found", "/none", "/nowhere", "/sub/", "/timeout", "/")


class Noted:
    """An application that notes all that happens to it, in order."""

    def __init__(self):
        self.notes = []
        sub = web.Application(middlewares=[self.middleware("sub")])
        sub.router.add_get("/", self.handler)
        sub.on_startup.append(self.signal("sub startup"))
        sub.on_response_prepare.append(self.prepare("sub"))
        self.app = app = web.Application(
            middlewares=[self.middleware("outer"), self.middleware("inner")]
        )
        app.add_subapp("/sub", sub)
        for path in ("/", "/error", "/found", "/none", "/timeout"):
            app.router.add_get(path, self.handler)
        for name in ("startup", "shutdown", "cleanup"):
            for number in (1, 2):
                signal = self.signal(f"{name} {number}")
                getattr(app, f"on_{name}").append(signal)
        app.cleanup_ctx.append(self.context)
        app.on_response_prepare.append(self.prepare("first"))
        app.on_response_prepare.append(self.prepare("second"))

    async def handler(self, request):
        self.notes.append(f"handler {request.path}")
        if request.path == "/error":
            raise ValueError("a", 1)
        if request.path == "/timeout":
            raise asyncio.TimeoutError
        if request.path == "/found":
            raise web.HTTPFound("/")
        return None if request.path == "/none" else web.Response(text="fine")

    def middleware(self, name):
        @web.middleware
        async def note(request, handler):
            self.notes.append(f"{name} in")
            try:
                response = await handler(request)
            except BaseException as error:
                cause = error.__cause__, error.__context__, error.__suppress_context__
                self.notes.append((name, type(error), error.args, cause))
                raise
            self.notes.append(f"{name} out {getattr(response, 'status', response)}")
            return response

        return note

    def signal(self, name):
        async def note(app):
            self.notes.append(name)

        return note

    def prepare(self, name):
        async def note(request, response):
            headers = {*response.headers} - {"X-Request-ID"}
            self.notes.append((name, request.path, response.status, sorted(headers)))

        return note

    async def context(self, app):
        self.notes.append("context begins")
        yield
        self.notes.append("context ends")


async def answer(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get(path))
    got = await asyncio.wait_for(reader.read(), TIMEOUT)
    writer.close()
    await writer.wait_closed()
    return got


async def test_signals_middlewares_and_exceptions(start):
    """
    Signals are sent in the same order and as often, on_response_prepare with the same
    headers; middlewares see the same responses and exceptions, with the same causes.
    """
    noted = []
    for ours in (False, True):
        application = Noted()
        port = await start(application.app, ours=ours)
        for path in PATHS:
            await answer(port, path)
        await start.stop()
        noted.append(application.notes)

    plain, ours = noted
    assert ours == plain
    assert plain.count("handler /") == 2
    assert len(plain) > 60


async def seen_of(start, ours):
    """Return what a handler sees of a request."""
    seen = {}

    async def handler(request):
        seen["length"], seen["keys"] = len(request), list(map(str, request))
        request["mine"] = 1
        twin = request.clone(method="PUT", rel_url="/other")
        seen["twin"] = (twin.method, twin.path, len(twin) - len(request))
        seen["items"] = {str(k): v for k, v in request.items() if str(k) == "mine"}
        del request["mine"]
        seen["after"] = "mine" in request, request.get("mine")
        seen["repr"], seen["task"] = repr(request), request.task.get_name()[:4]
        seen["rest"] = (
            request.method,
            request.path_qs,
            request.raw_path,
            dict(request.headers),
            request.remote,
            request.can_read_body,
            dict(request.match_info),
            request.match_info.route.resource.canonical,
            await request.read(),
        )
        return web.Response()

    app = web.Application()
    app.router.add_get("/{name}", handler)
    await answer(await start(app, ours=ours), "/it?a=1")
    return seen


@pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
async def test_request_objects(start):
    """A request has our keys, and is otherwise as without us; so is its clone."""
    plain, ours = await seen_of(start, False), await seen_of(start, True)
    keys = ours.pop("keys")

    assert plain.pop("keys") == []
    assert "request_id" in keys
    assert all(key == "request_id" or "otel_aiohttp_logs" in key for key in keys)
    assert ours.pop("length") - plain.pop("length") == len(keys) == 2
    assert ours == plain
