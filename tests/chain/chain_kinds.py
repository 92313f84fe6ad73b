"""What must be seen of a request: a tree of its spans, each with its lines."""

from __future__ import annotations

from typing import Any, NamedTuple

FIELDS = ("order", "item", "part", "shelf", "step")
"""All that is bound anywhere in the chain."""


class Line(NamedTuple):
    logger: str
    message: str
    fields: tuple[tuple[str, Any], ...]
    """Those of ``FIELDS`` that the line has."""


class Node(NamedTuple):
    """A span, its lines, and the spans under it; all in one order, to be compared."""

    service: str
    kind: str
    name: str
    ended: Any
    """The type of the error, or else the status."""
    resend_count: int | None
    lines: tuple[Line, ...]
    children: tuple[Node, ...]


def line(message, logger="chain", **fields):
    return Line(logger, message, tuple(sorted(fields.items())))


def node(service, kind, name, ended, *parts, resend_count=None):
    lines = sorted((p for p in parts if isinstance(p, Line)), key=repr)
    children = sorted((p for p in parts if isinstance(p, Node)), key=repr)
    return Node(service, kind, name, ended, resend_count, tuple(lines), tuple(children))


def call(service, method, ended, *parts, resends=0):
    return node(service, "CLIENT", method, ended, *parts, resend_count=resends or None)


class Wanted:
    """The tree of the order *number*."""

    def __init__(self, number):
        self.number = number
        self._bound = {"order": number}
        self._item = {"item": number * 10} if number % 2 else {}

    def tree(self, kind):
        return getattr(self, f"_{kind}")()

    def _shop(self, ended, *parts, outcome="ok"):
        inside = {**self._bound, "step": "reserve"}
        reserve = node(
            "shop",
            "INTERNAL",
            "reserve",
            None,
            line("reserving", **inside),
            # The step's line is logged by the module that it stands in.
            line("reserve: ok", logger="__main__", **inside),
            *parts,
        )
        return node(
            "shop",
            "SERVER",
            "GET /orders/{order}",
            ended,
            line("order received", **self._bound),
            self._event("orders", outcome, **self._bound),
            reserve,
        )

    def _stock(self, ended, *parts, outcome="ok"):
        return node(
            "stock",
            "SERVER",
            "GET /stock/{order}",
            ended,
            line("looking", **self._item),
            self._event("stock", outcome, **self._item),
            *parts,
        )

    def _supply(self, ended, *parts, outcome="ok"):
        return node(
            "supply",
            "SERVER",
            "POST /supply/{order}",
            ended,
            line("on the shelf", shelf=self.number % 7),
            self._event("supply", outcome),
            *parts,
        )

    def _event(self, place, outcome, **fields):
        message = f"/{place}/{self.number} {outcome}"
        return line(message, logger="aiohttp.access", **fields)

    def _supplied(self):
        return self._stock(200, call("stock", "POST", 200, self._supply(200)))

    def _served(self):
        return self._shop(200, call("shop", "GET", 200, self._supplied()))

    def _moved(self):
        def forward(place):
            return node(
                "stock",
                "SERVER",
                f"GET /{place}/{{order}}",
                307,
                self._event(place, "ok"),
            )

        return self._shop(
            200,
            call("shop", "GET", 307, forward("moved")),
            call("shop", "GET", 307, forward("elsewhere"), resends=1),
            call("shop", "GET", 200, self._supplied(), resends=2),
        )

    def _failed(self):
        error = line("Error handling request", logger="aiohttp.server")
        supply = self._supply("LookupError", error, outcome="server_error")
        called = call("stock", "POST", "500", supply)
        stock = self._stock("502", called, outcome="server_error")
        called = call("shop", "GET", "502", stock)
        return self._shop("502", called, outcome="server_error")

    def _retried(self):
        again = line("try again", **self._bound, step="reserve")
        first, second = (self._stock("503", outcome="server_error") for _ in "12")
        return self._shop(
            200,
            again,
            again,
            call("shop", "GET", "503", first),
            call("shop", "GET", "503", second, resends=1),
            call("shop", "GET", 200, self._supplied(), resends=2),
        )

    def _in_parts(self):
        inside = {**self._bound, "step": "reserve"}
        return self._shop(
            200,
            *(line("part asked for", **inside, part=part) for part in "ab"),
            *(call("shop", "GET", 200, self._supplied()) for _ in "ab"),
        )

    def _lost(self):
        gone = self._supply("client_disconnected", outcome="disconnected")
        stock = self._stock(
            200,
            call("stock", "POST", "ServerDisconnectedError", gone),
            call("stock", "POST", 200, self._supply(200), resends=1),
        )
        return self._shop(200, call("shop", "GET", 200, stock))

    def _timed_out(self):
        gone = self._supply("client_disconnected", outcome="disconnected")
        called = call("stock", "POST", "TimeoutError", gone)
        stock = self._stock("504", called, outcome="server_error")
        called = call("shop", "GET", "504", stock)
        return self._shop("504", called, outcome="server_error")

    def _given_up(self):
        gone = self._stock("client_disconnected", outcome="disconnected")
        called = call("shop", "GET", "CancelledError", gone)
        return self._shop("504", called, outcome="server_error")


KINDS = (
    "served",
    "moved",
    "failed",
    "retried",
    "in_parts",
    "lost",
    "timed_out",
    "given_up",
)
