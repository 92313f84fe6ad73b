"""
A kind of request: what the application does with it, and how it is asked for.

Each line that the application writes says whose it is: ``~17~`` in its text is the
number of the request that it belongs to, ``~none~`` that it belongs to none. The same
stands in the request's path, for the lines that aiohttp and we write.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from load_caller import Call, Caller

log = logging.getLogger("load")
NONE = "none"
LATE = "(late)"
"""In the text of a line that is written after its request has ended."""
BOUND = "(bound)"
"""In the text of a line that has the field ``order``, its request's number."""
IDENTITY = re.compile(r"~(\d+|none)~")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def say(number: str, what: str) -> None:
    log.info("~%s~ %s", number, what)


def number_of(request: web.Request) -> str:
    return request.match_info["n"].strip("~")


async def get(caller: Caller, call: Call) -> None:
    """Ask as nearly everybody does."""
    async with caller.session.get(
        call.url, headers=call.headers, allow_redirects=False
    ) as response:
        call.answered(response)
        await response.read()


CANCELLED, DISCONNECTED = "CancelledError", "client_disconnected"


@dataclass(frozen=True)
class Kind:
    name: str
    handler: Handler | None
    """None if the routes are made by hand."""
    lines: int
    """The application's own, for each request."""
    status: int | None = 200
    """What its span says; None if nothing was answered."""
    path: str = ""
    method: str = "GET"
    ask: Callable[[Caller, Call], Awaitable[None]] = get
    others: int = 0
    """Lines of others, such as aiohttp and asyncio, but for the access line."""
    error: str | None = None
    """The ``error.type`` of its span."""
    binds: bool = False
    """Whether it calls ``bind``, so that its access line has the field, too."""
    span: bool = True
    """Whether it has a SERVER span: what is no request for the parser has none."""

    @property
    def is_server_error(self) -> bool:
        return self.error not in {None, CANCELLED, DISCONNECTED}

    def path_of(self, number: str) -> str:
        folder = self.path or f"/{self.name.replace(' ', '-')}"
        return f"{folder}/~{number}~"


def add_routes(app: web.Application, kinds: tuple[Kind, ...]) -> None:
    for kind in kinds:
        if kind.handler is not None:
            path = kind.path_of("n").replace("~n~", "{n}")
            app.router.add_route(kind.method, path, kind.handler)
