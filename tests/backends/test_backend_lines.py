"""Where the lines of two hundred requests at once through two services are."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain

import pytest
from backend_requests import kind_of, text
from backend_served import expected_lines, label, line_in, words

pytestmark = pytest.mark.backends


def test_lines(served, figure):
    """
    Every line of every request arrives once, under the trace of its own request.
    """
    way = served.way
    expected = expected_lines(way, range(way.requests), served.trace_ids)
    actual = Counter(
        (line.service, label(line), line.trace_id)
        for line in served.lines
        if line.trace_id or "access" in label(line) or line.logger in {"shop", "queue"}
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
    With ``span_events=True`` a span in Jaeger has each line that was written before it
    ended as an event, and no other events than these and exceptions.
    """
    expected = defaultdict(Counter)
    late = {
        text("front", kind_of(n).name, n, word)
        for n in served.trace_ids
        for word in kind_of(n).late
    }
    for n, trace_id in served.trace_ids.items():
        for service, line, own in words(served.way, n):
            span = served.span(n, own) if own else served.server_span(n, service)
            if line not in late:
                expected[trace_id, span.span_id][line] += 1
    actual = defaultdict(Counter)
    for span in chain.from_iterable(served.traces.values()):
        said = (line_in(event) for event in span.events if event.name != "exception")
        actual[span.trace_id, span.span_id].update(s for s in said if s not in late)

    wrong = {
        span_id: {"missing": expected[span_id] - actual[span_id]}
        | {"too many": actual[span_id] - expected[span_id]}
        for span_id in expected.keys() | actual.keys()
        if expected[span_id] != actual[span_id]
    }
    assert wrong == {}


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
