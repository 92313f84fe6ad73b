"""
What is known of each request after the services have ended: its answer, its trace in
Jaeger, its lines in the Collector; and what should be known.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from backend_otlp import SERVER, Event, Line, Span
from backend_requests import kind_of, text
from backend_traffic import Answer, Way, send_through

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from backend_collector import Collector
    from backend_jaeger import Jaeger

WAYS = (
    Way("own", "own", "http/protobuf", 200),
    Way("sdk", "sdk", "http/protobuf", 200),
    Way("sdk-grpc", "sdk", "grpc", 30),
)


class Served(NamedTuple):
    """What is known after the services have ended."""

    way: Way
    answers: list[Answer]
    trace_ids: dict[int, str]
    """By the number of the request, as Jaeger finds it by its path."""
    traces: dict[int, list[Span]]
    """The spans of each request, as Jaeger answers for its trace id."""
    lines: list[Line]

    def server_span(self, n: int, service: str) -> Span:
        (span,) = servers(self.traces[n], service)
        return span

    def span(self, n: int, name: str) -> Span:
        (span,) = (span for span in self.traces[n] if span.name == name)
        return span


def serve(way: Way, collector: Collector, jaeger: Jaeger, folder: Path) -> Served:
    """
    Send all requests of *way*, and read back what the real programs have of them.
    """
    answers = send_through(way, collector, folder)

    expected = sum(server_spans(n) for n in range(way.requests))
    found = jaeger.search_until(
        way.front, lambda spans: len(servers(spans, way.front, way.back)) >= expected
    )
    trace_ids = {
        number(str(span.attributes["url.path"])): span.trace_id
        for span in servers(found, way.front)
    }
    lines = collector.lines_until(
        sum(expected_lines(way, range(way.requests)).values()), way.front, way.back
    )
    return Served(
        way,
        answers,
        trace_ids,
        {n: jaeger.trace(trace_id) for n, trace_id in trace_ids.items()},
        lines,
    )


def server_spans(n: int) -> int:
    return 1 if kind_of(n).back_status is None else 2


def servers(spans: list[Span], *services: str) -> list[Span]:
    return [s for s in spans if s.kind == SERVER and s.service in services]


def number(path: str) -> int:
    return int(path.rsplit("/", 1)[1])


def words(way: Way, n: int) -> Iterator[tuple[str, str, str | None]]:
    """
    Yield each line that request *n* has to have: its service, its text, and the span
    of the application that it belongs to, None for the request's own.
    """
    kind = kind_of(n)
    under = dict(kind.under)
    yield way.front, f"access {kind.path(n)}", None
    for word in kind.front:
        yield way.front, text("front", kind.name, n, word), under.get(word)
    if kind.status == 500:
        yield way.front, "Error handling request from 127.0.0.1", None
    if kind.back_status:
        path = kind.back_path(n)
        yield way.back, f"access {path}", None
        for word in kind.back:
            yield way.back, text("back", kind.name, n, word), None
    if kind.back_status == 500:
        yield way.back, "Error handling request from 127.0.0.1", None


def expected_lines(
    way: Way, numbers, trace_ids: Mapping[int, str] | None = None
) -> Counter[tuple[str, str, str]]:
    ids = trace_ids or {}
    return Counter(
        (service, line, ids.get(n, ""))
        for n in numbers
        for service, line, _ in words(way, n)
    )


def label(line: Line) -> str:
    """
    Return the text of a line; of an access line, what it is about.
    """
    return _label(line.logger, line.body)


def line_in(event: Event) -> str:
    """
    Return the label of the line that *event* of a span copies; its name if it is none.
    """
    if event.name != "log":
        return event.name
    return _label(event.attributes["logger"], event.attributes["message"])


def _label(logger: object, body: object) -> str:
    if logger != "aiohttp.access":
        return str(body)
    found = re.match(r"[A-Z]+ (\S+) ", str(body))
    assert found, body
    return f"access {found[1]}"


def wanted_attributes(way: Way, n: int) -> Iterator[tuple[str, dict[str, object]]]:
    """
    Yield each service of request *n* with what its SERVER span has to have.
    """
    kind = kind_of(n)
    yield (
        way.front,
        {
            "http.request.method": kind.method,
            "url.path": kind.path(n),
            "url.scheme": "http",
            "http.response.status_code": kind.status,
            "http.route": kind.route,
            "error.type": kind.front_error,
        },
    )
    if kind.back_status:
        yield (
            way.back,
            {
                "http.request.method": "GET",
                "url.path": kind.back_path(n),
                "url.scheme": "http",
                "http.response.status_code": kind.back_status,
                "http.route": kind.back_route,
                "error.type": kind.back_error,
            },
        )
