"""
What can be asked of the shop: the route, what happens, and the lines it logs.

A request is known by its number, which stands in its path and in a field of each of
its lines. So a line's true request can be told without any trace id.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Lines = tuple[tuple[str, str], ...]
"""Pairs of service and message, in the order in which they are logged."""


class Step(NamedTuple):
    """A part of the work that is a span of its own, and a line at its end."""

    service: str
    logger: str
    name: str
    outcome: str
    inside: tuple[str, ...]
    """What is logged before it ends, and so belongs to its span."""

    @property
    def message(self) -> str:
        return f"{self.name}: {self.outcome}"


@dataclass(frozen=True)
class Scenario:
    name: str
    method: str
    route: str
    status: int | None
    """What the shop answers; None when the caller leaves before the answer."""
    happens: str
    lines: Lines
    client: Literal["plain", "websocket", "leaving"] = "plain"
    steps: tuple[Step, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """The services that serve it, the one that is called first in front."""
        return tuple(dict.fromkeys(service for service, _ in self.lines))

    def path(self, number: int) -> str:
        return self.route.format(number=number)


_ORDER = Scenario(
    name="order",
    method="POST",
    route="/orders/{number}",
    status=200,
    happens="An ordinary order: shop asks stock to reserve the item, and works out "
    "the price in a thread.",
    lines=(
        ("shop", "order received"),
        ("stock", "reservation asked"),
        ("stock", "shelf counted"),
        ("stock", "item reserved"),
        ("shop", "price worked out"),
        ("shop", "order accepted"),
    ),
)
_SLOW = Scenario(
    name="slow",
    method="POST",
    route="/orders/{number}/delivery",
    status=200,
    happens="A slow dependency: stock waits for a warehouse, and both services warn.",
    lines=(
        ("shop", "delivery date asked"),
        ("stock", "warehouse called"),
        ("stock", "warehouse is slow"),
        ("stock", "warehouse answered"),
        ("shop", "stock answered late"),
        ("shop", "delivery date promised"),
    ),
    steps=(
        Step(
            service="stock",
            logger=f"{__package__}.warehouse",
            name="call warehouse",
            outcome="ok",
            inside=("warehouse called", "warehouse is slow", "warehouse answered"),
        ),
    ),
)
_FAILING = Scenario(
    name="failing",
    method="POST",
    route="/orders/{number}/payment",
    status=500,
    happens="A step fails: status 500, and the stack on its line and on aiohttp's own "
    "error line.",
    lines=(
        ("shop", "payment begun"),
        ("stock", "reservation looked up"),
        ("shop", "card checked"),
        ("shop", "card refused"),
    ),
    steps=(
        Step(
            service="shop",
            logger=f"{__package__}.bank",
            name="charge card",
            outcome="failed",
            inside=("card checked", "card refused"),
        ),
    ),
)
_MISSING = Scenario(
    name="missing",
    method="GET",
    route="/baskets/{number}",
    status=404,
    happens="The basket has expired: status 404, which is no error of the server.",
    lines=(("shop", "basket looked for"), ("shop", "basket not found")),
)
_BACKGROUND = Scenario(
    name="background",
    method="POST",
    route="/orders/{number}/confirmation",
    status=202,
    happens="A task outlives its request: the answer is sent at once, the e-mail "
    "later, and its lines still belong to the request.",
    lines=(
        ("shop", "confirmation queued"),
        ("shop", "confirmation rendered"),
        ("shop", "mail server is busy"),
        ("shop", "confirmation sent"),
    ),
)
_STREAMED = Scenario(
    name="streamed",
    method="GET",
    route="/orders/{number}/invoice",
    status=200,
    happens="A streamed answer: lines are logged between the parts of the body.",
    lines=(
        ("shop", "invoice begun"),
        *(("shop", "invoice page written"),) * 3,
        ("shop", "invoice complete"),
    ),
)
_WEBSOCKET = Scenario(
    name="websocket",
    method="GET",
    route="/baskets/{number}/live",
    status=101,
    happens="A WebSocket: one request for as long as it is open, three messages.",
    lines=(
        ("shop", "basket opened"),
        *(("shop", "item added"),) * 3,
        ("shop", "basket closed"),
    ),
    client="websocket",
)
_LEAVING = Scenario(
    name="leaving",
    method="GET",
    route="/search/{number}",
    status=None,
    happens="The caller goes away before the answer: the handler is cancelled.",
    lines=(
        ("shop", "search begun"),
        ("shop", "shelves searched"),
        ("shop", "caller went away"),
    ),
    client="leaving",
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            _ORDER,
            _SLOW,
            _FAILING,
            _MISSING,
            _BACKGROUND,
            _STREAMED,
            _WEBSOCKET,
            _LEAVING,
        )
    }
)

NUMBER_FIELDS = ("order", "basket", "search")
"""The fields that hold a request's number, one of them on each line."""

SERVICES = ("shop", "stock")
"""The services, each with a logger of that name."""


def user_of(number: int) -> int:
    """Return the user whose request has *number*: what the shop binds."""
    return 100 + number % 37
