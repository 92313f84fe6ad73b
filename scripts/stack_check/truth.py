"""
What a request must have left: its spans and its lines, known without any telemetry.

A request has a number of its own, in its path and in a field of each line.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from otel_aiohttp_logs.demo.scenarios import NUMBER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stack_check.load import Request

SEVERITIES = {
    "card checked": "WARNING",
    "basket not found": "WARNING",
    "mail server is busy": "WARNING",
    "stock answered late": "WARNING",
    "warehouse is slow": "WARNING",
    "caller went away": "WARNING",
    "card refused": "ERROR",
}
STOCK_ROUTES = {
    "order": ("PUT", "/reservations/{number}"),
    "slow": ("GET", "/warehouses/{number}"),
    "failing": ("GET", "/reservations/{number}"),
}
ERROR_LINE = "Error handling request"
NUMBER = re.compile(r"/(\d{5,12})\b")


class Line(NamedTuple):
    service: str
    logger: str
    severity: str
    message: str


class Span(NamedTuple):
    service: str
    kind: str
    name: str
    parent: str
    """caller, shop's server span, or shop's client span; a step's is its service's."""
    status: int | None
    failed: bool


def expected_lines(request: Request) -> Counter[Line]:
    sent = request.sent
    scenario, number = sent.scenario, sent.number
    lines = [
        Line(service, service, SEVERITIES.get(message, "INFO"), message)
        for service, message in scenario.lines
    ]
    lines += [
        Line(step.service, step.logger, _severity(step.outcome), step.message)
        for step in scenario.steps
    ]
    if scenario.name == "failing":
        lines.append(Line("shop", "aiohttp.server", "ERROR", ERROR_LINE))
    level = _severity_of(sent.status)
    answer = "disconnected" if sent.status is None else sent.status
    asked = f"{scenario.method} {scenario.path(number)} {answer}"
    lines.append(Line("shop", "aiohttp.access", level, asked))
    if scenario.name in STOCK_ROUTES:
        method, route = STOCK_ROUTES[scenario.name]
        asked = f"{method} {route.format(number=number)} 200"
        lines.append(Line("stock", "aiohttp.access", "INFO", asked))
    return Counter(lines)


def expected_spans(request: Request) -> Counter[Span]:
    scenario = request.sent.scenario
    name = f"{scenario.method} {scenario.route}"
    failed = scenario.name == "failing"
    spans = [Span("shop", "server", name, "caller", request.sent.status, failed)]
    if scenario.name in STOCK_ROUTES:
        method, route = STOCK_ROUTES[scenario.name]
        spans.append(Span("shop", "client", method, "shop server", 200, failed=False))
        asked = Span("stock", "server", f"{method} {route}", "shop client", 200, False)
        spans.append(asked)
    for step in scenario.steps:
        around, failed = f"{step.service} server", step.outcome == "failed"
        spans.append(Span(step.service, "internal", step.name, around, None, failed))
    return Counter(spans)


def lines_in(request: Request, service: str, kind: str) -> Counter[Line]:
    """
    Return what *service* logs in its spans of *kind*: those of steps, or its server's.
    """
    in_steps = {
        (step.service, message)
        for step in request.sent.scenario.steps
        for message in (step.message, *step.inside)
    }
    return Counter(
        {
            line: count
            for line, count in expected_lines(request).items()
            if line.service == service
            and ((service, line.message) in in_steps) == (kind == "internal")
        }
    )


def _severity_of(status: int | None) -> str:
    if status is None or status < 400:
        return "INFO"
    return "WARNING" if status < 500 else "ERROR"


def _severity(outcome: str) -> str:
    return "ERROR" if outcome == "failed" else "INFO"


def line_of(fields: Mapping[str, str]) -> Line:
    """
    Return what VictoriaLogs' *fields* say, as a line.
    """
    message = fields["_msg"]
    if message.startswith(ERROR_LINE):  # the peer's address stands behind it
        message = ERROR_LINE
    return Line(
        fields.get("service.name", "?"),
        fields.get("scope.name", "?"),
        fields.get("severity_text", "?"),
        message,
    )


def number_of(fields: Mapping[str, str]) -> int | None:
    """
    Return the number of the request that truly logged this, None if it says none.
    """
    for name in NUMBER_FIELDS:
        if fields.get(name, "").isdigit():
            return int(fields[name])
    found = NUMBER.search(fields["_msg"])
    return int(found[1]) if found else None


def ordered(request: Request) -> Iterator[tuple[str, list[str]]]:
    """
    Yield each service and the messages of its handlers in the order they were logged.
    """
    lines = request.sent.scenario.lines
    for service in request.sent.scenario.services:
        yield service, [message for name, message in lines if name == service]
