"""
Two services, two hundred requests at once, and what Jaeger and the Collector have of
each request afterwards.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import pytest
from backend_otlp import CLIENT, ERROR, SERVER, Line, Span
from backend_requests import kind_of, text
from backend_traffic import Answer, Way, send_through

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.backends

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


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: way.name)
def served(request, collector, jaeger, tmp_path_factory) -> Served:
    way: Way = request.param
    answers = send_through(way, collector, tmp_path_factory.mktemp(way.name))

    expected = sum(_server_spans(n) for n in range(way.requests))
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


def _server_spans(n: int) -> int:
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


def label(line: Line) -> str:
    """
    Return the text of a line; of an access line, what it is about.
    """
    if line.logger == "aiohttp.access":
        found = re.search(r'"[A-Z]+ (\S+) HTTP', str(line.body))
        assert found, line
        return f"access {found[1]}"
    return str(line.body)


def expected_lines(
    way: Way, numbers, trace_ids: Mapping[int, str] | None = None
) -> Counter[tuple[str, str, str]]:
    ids = trace_ids or {}
    return Counter(
        (service, line, ids.get(n, ""))
        for n in numbers
        for service, line, _ in words(way, n)
    )


def test_answers(served):
    """
    Each request is answered as without us, with a request id of its own.
    """
    expected = [kind_of(n).status for n in range(served.way.requests)]

    assert [answer.status for answer in served.answers] == expected
    assert None not in {answer.request_id for answer in served.answers}
    assert len({answer.request_id for answer in served.answers}) == served.way.requests


def test_one_server_span_per_service(served, figure):
    """
    The trace of each request has one SERVER span of each service that served it, and
    no two requests share a trace.
    """
    way = served.way
    wrong = {}
    for n in range(way.requests):
        services = Counter(
            s.service for s in served.traces.get(n, ()) if s.kind == SERVER
        )
        wanted = Counter([way.front, way.back][: _server_spans(n)])
        if services != wanted:
            wrong[kind_of(n).path(n)] = services

    figure(f"{way.name}: {way.requests - len(wrong)} of {way.requests} requests")
    assert wrong == {}
    assert len(set(served.trace_ids.values())) == way.requests


def test_callers_trace(served):
    """
    A caller's ``traceparent`` is continued, and a request without one begins a trace.
    """
    roots = {
        n: (span.trace_id, span.parent_span_id)
        for n in range(served.way.requests)
        for span in [served.server_span(n, served.way.front)]
    }
    expected = {
        n: (answer.trace_id, answer.span_id) if answer.trace_id else (roots[n][0], "")
        for n, answer in enumerate(served.answers)
    }

    assert roots == expected


def test_parents_across_processes(served):
    """
    The span of the called service is the child of the caller's CLIENT span, which is
    the child of the caller's SERVER span.
    """
    way = served.way
    for n in range(way.requests):
        if kind_of(n).back_status is None:
            assert len(served.traces[n]) == 1
            continue
        (client,) = (s for s in served.traces[n] if s.kind == CLIENT)
        back = served.server_span(n, way.back)

        assert client.service == way.front
        assert back.parent_span_id == client.span_id
        assert client.parent_span_id == served.server_span(n, way.front).span_id


def test_spans_of_the_application(served):
    """
    Spans that the application opens through OpenTelemetry's API hang under the
    request's span, in their own order.
    """
    for n in range(served.way.requests):
        for name, parent in kind_of(n).own_spans:
            above = (
                served.span(n, parent)
                if parent
                else served.server_span(n, served.way.front)
            )

            assert served.span(n, name).parent_span_id == above.span_id


def test_attributes(served):
    """
    SERVER spans have the name, the attributes and the status that the semantic
    conventions want, and only failures of the server are errors.
    """
    for n in range(served.way.requests):
        kind = kind_of(n)
        for service, attributes in wanted_attributes(served.way, n):
            span = served.server_span(n, service)
            method, route = attributes["http.request.method"], attributes["http.route"]

            assert span.name == (f"{method} {route}" if route else method)
            assert {k: span.attributes.get(k) for k in attributes} == attributes
            assert (span.status == ERROR) == (attributes["error.type"] is not None), (
                kind
            )


def test_lines(served, figure):
    """
    Every line of every request arrives once, under the trace of its own request.
    """
    way = served.way
    expected = expected_lines(way, range(way.requests), served.trace_ids)
    actual = Counter(
        (line.service, label(line), line.trace_id)
        for line in served.lines
        if line.trace_id or "access" in label(line) or line.logger == "shop"
    )
    there = sum((expected & actual).values())

    figure(f"{way.name}: {there} of {sum(expected.values())} lines")
    assert expected - actual == Counter(), "missing"
    assert actual - expected == Counter(), "too many, or under a wrong request"


def test_ids_of_lines(served):
    """
    A line has the id of the span that was open when it was written, and the request id
    that its own request was answered with.
    """
    way = served.way
    number_of = {trace_id: n for n, trace_id in served.trace_ids.items()}
    span_ids: dict[tuple[str, str, str], str] = {}
    for n, trace_id in served.trace_ids.items():
        for service, line, own in words(way, n):
            span = served.span(n, own) if own else served.server_span(n, service)
            span_ids[service, line, trace_id] = span.span_id
    back_ids = defaultdict(set)
    for line in served.lines:
        if not line.trace_id:
            continue
        n = number_of[line.trace_id]
        request_id = line.attributes["request_id"]
        if line.service == way.front:
            assert request_id == served.answers[n].request_id, line
        else:
            back_ids[n].add(request_id)

        assert line.span_id == span_ids[line.service, label(line), line.trace_id], line
        assert line.attributes.get("n", n) == n, line

    assert all(len(ids) == 1 for ids in back_ids.values())
    assert len(set.union(*back_ids.values())) == len(back_ids)


def test_lines_on_spans(served):
    """
    With ``span_events=True`` a span in Jaeger has the lines that were written while it
    was open as events.
    """
    way = served.way
    lines = defaultdict(Counter)
    for n, trace_id in served.trace_ids.items():
        late = {text("front", kind_of(n).name, n, word) for word in kind_of(n).late}
        for service, line, own in words(way, n):
            span = served.span(n, own) if own else served.server_span(n, service)
            if line not in late and not line.startswith("access"):
                lines[trace_id, span.span_id][line] += 1

    for n in served.traces:
        for span in served.traces[n]:
            said = Counter(
                str(
                    event.attributes.get("log.message", event.attributes.get("message"))
                )
                for event in span.events
                if event.name != "exception"
            )
            said = Counter({k: v for k, v in said.items() if " HTTP/1" not in k})

            assert said == lines[span.trace_id, span.span_id], (kind_of(n).name, span)


def test_requests_overlapped(served, figure):
    """
    The requests were really served at the same time, so that their lines interleave.
    """
    spans = [served.server_span(n, served.way.front) for n in served.traces]
    at_once = max(
        sum(other.start_ns <= span.start_ns < other.end_ns for other in spans)
        for span in spans
    )

    figure(f"{served.way.name}: {at_once} requests at once")
    assert at_once >= served.way.requests // 4


def test_collector_has_no_complaint(served, collector):
    """
    The Collector refused and dropped nothing, and warned of nothing.
    """
    complaints = [
        line
        for line in collector.own_log.read_text().splitlines()
        if '"level":"warn"' in line or '"level":"error"' in line
    ]

    assert complaints == []
