"""What Jaeger has of two hundred requests at once through two services."""

from __future__ import annotations

from collections import Counter

import pytest
from backend_otlp import CLIENT, ERROR, SERVER
from backend_requests import kind_of
from backend_served import server_spans, wanted_attributes

pytestmark = pytest.mark.backends


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
        wanted = Counter([way.front, way.back][: server_spans(n)])
        if services != wanted:
            wrong[kind_of(n).path(n)] = services

    figure(f"{way.name}: {way.requests - len(wrong)} of {way.requests} requests")
    assert wrong == {}
    assert len(set(served.trace_ids.values())) == way.requests


def test_each_span_once(served, collector):
    """
    No span is sent twice. (Jaeger shows two that are the same as one.)
    """
    sent = collector.received_spans(served.way.front, served.way.back)
    times = Counter((span.trace_id, span.span_id) for span in sent)

    assert set(times.values()) == {1}
    assert times.keys() == {
        (span.trace_id, span.span_id)
        for spans in served.traces.values()
        for span in spans
    }


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
