"""The demo's own check finds each way in which a request can fail to be told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otel_aiohttp_logs.demo.caller import Sent
from otel_aiohttp_logs.demo.check import problems
from otel_aiohttp_logs.demo.otlp import Line, Span
from otel_aiohttp_logs.demo.receiver import Received, Trace
from otel_aiohttp_logs.demo.scenarios import SCENARIOS, user_of

ORDER = SCENARIOS["order"]
SPANS = {"shop": "a1", "stock": "c3"}


def sent(number):
    return Sent(ORDER, number, f"{number:032x}", "f0" * 8, 200)


def line(number, service, body, logger=None):
    return Line(
        trace_id=f"{number:032x}",
        span_id=SPANS[service],
        service=service,
        logger=logger or service,
        time_ns=1,
        severity="INFO",
        body=body,
        attributes={
            "order": number,
            "request_id": f"id of {number}",
            **({"user_id": user_of(number)} if service == "shop" else {}),
        },
    )


def span(number, service, kind, span_id, parent_id):
    user = {"user_id": user_of(number)} if service == "shop" else {}
    return Span(
        f"{number:032x}", span_id, parent_id, service, "x", kind, 1, 2, False, user
    )


def trace(number):
    return Trace(
        spans=[
            span(number, "shop", 2, "a1", "f0" * 8),
            span(number, "shop", 3, "b2", "a1"),
            span(number, "stock", 2, "c3", "b2"),
        ],
        lines=[
            *(line(number, service, body) for service, body in ORDER.lines),
            line(number, "shop", f"POST /orders/{number} 200", "aiohttp.access"),
            line(number, "stock", f"PUT /reservations/{number} 200", "aiohttp.access"),
        ],
    )


@pytest.fixture
def received():
    return Received(traces={f"{number:032x}": trace(number) for number in (7, 8)})


@pytest.fixture
def lines(received):
    """The lines of request 7; the first is ``order received``."""
    return received.traces[f"{7:032x}"].lines


@pytest.fixture
def spans(received):
    return received.traces[f"{7:032x}"].spans


@pytest.fixture
def found(received):
    """Return a function that returns what is wrong with request 7; 8 stays right."""

    def found():
        return {
            request: [text.removeprefix("POST /orders/7: ") for text in texts]
            for request, texts in problems(received, [sent(7), sent(8)]).items()
        }.get(f"{7:032x}", [])

    return found


def test_nothing_wrong(found):
    """A request with all its lines and spans is told apart."""
    assert found() == []


def test_missing_line(found, lines):
    """A line that did not arrive is named with its service."""
    del lines[0]

    assert found() == ['the line "order received" of shop is missing']


def test_doubled_line(found, lines):
    """A line that arrived twice is named."""
    lines.append(lines[0])

    assert found() == ['the line "order received" of shop is one too many']


def test_line_of_another_request(found, lines):
    """A line is another request's if it bears another number."""
    lines[0] = replace(lines[0], attributes={**lines[0].attributes, "order": 8})

    assert found() == ['the line "order received" is of request 8']


def test_line_under_another_request(received, lines):
    """A line that stands under another request is wrong for both."""
    other = f"trace {8:032x}"
    moved = replace(lines.pop(0), trace_id=f"{8:032x}")
    received.traces[f"{8:032x}"].lines.append(moved)

    assert problems(received, [sent(7), sent(8)]) == {
        f"{7:032x}": [
            'POST /orders/7: the line "order received" of shop is missing',
            f'POST /orders/7: its line "order received" of shop is under {other}',
        ],
        f"{8:032x}": [
            'POST /orders/8: the line "order received" of shop is one too many',
            'POST /orders/8: the line "order received" is of request 7',
            "POST /orders/8: its lines have 2 request ids: id of 8, id of 7",
            'POST /orders/8: the line "order received" of shop is of user 107',
        ],
    }


def test_line_under_no_request(found, received, lines):
    """A line that lost its trace id is found among the stray ones."""
    received.stray.append(replace(lines.pop(0), trace_id="", span_id=""))

    assert found() == [
        'the line "order received" of shop is missing',
        'its line "order received" of shop is under no trace',
    ]


def test_event_of_another_request(found, lines):
    """An event has no number of its own: its path tells."""
    lines[-1] = replace(lines[-1], body='"PUT /reservations/8" 200')

    assert found() == ['it has another request\'s event: "PUT /reservations/8" 200']


def test_missing_event(found, lines):
    """Each service writes one event a request."""
    del lines[-1]

    assert found() == ["1 events, not one for each of ['shop', 'stock']"]


def test_request_ids_that_differ(found, lines):
    """The stock goes on with the shop's request id: all lines of a trace have one."""
    lines[1] = replace(lines[1], attributes={"order": 7, "request_id": "else"})

    assert found() == ["its lines have 2 request ids: id of 7, else"]


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (0, 'the line "order received" of shop is of user 8'),
        (1, 'the line "reservation asked" of stock is of user 8'),
    ],
)
def test_user_of_another_request(found, lines, index, text):
    """What the shop bound is on its own lines, and on none of the stock's."""
    attributes = {**lines[index].attributes, "user_id": 8}
    lines[index] = replace(lines[index], attributes=attributes)

    assert found() == [text]


def test_span_without_its_user(found, spans):
    """What the shop bound is on the span of its request."""
    spans[0] = replace(spans[0], attributes={})

    assert found() == ['the span "x" of shop is of user None']


def test_step_that_is_none_of_the_request(found, lines, spans):
    """A step's line and span are there if the request has that step, and only then."""
    fields = {"step": "x", "duration": 0.1, "outcome": "ok"}
    step = replace(lines[0], logger="bank", body="x: ok")
    lines.append(replace(step, attributes={**lines[0].attributes, **fields}))
    spans.append(replace(spans[0], span_id="d4", parent_id="a1", kind=1))

    assert found() == [
        "steps ended: [('shop', 'bank', 'x: ok')], not []",
        "spans of steps: ['x'], not []",
    ]


def test_missing_server_span(found, spans):
    """A service without its span is named, and so are its lines without a span."""
    del spans[2]

    assert found()[0] == "1 server spans, not one for each of ['shop', 'stock']"
    assert 'the span of line "item reserved" of stock is missing' in found()


def test_missing_parent(found, spans):
    """A span whose parent did not arrive hangs in the air."""
    del spans[1]

    assert found() == ['the parent of span "x" of stock is missing']


def test_request_without_anything(received):
    """A request of which nothing arrived misses everything."""
    received.traces.pop(f"{7:032x}")

    texts = problems(received, [sent(7)])[f"{7:032x}"]
    assert len(texts) == len(ORDER.lines) + 2
