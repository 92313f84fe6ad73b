"""What is put onto a span: attributes, events, links, a status, exceptions."""

from __future__ import annotations

import asyncio
import uuid
from decimal import Decimal

from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from span_calls import OTHER, into

CALLS = []
call = into(CALLS)

LOCAL = SpanContext(9, 10, is_remote=False)
NOTHING = SpanContext(0, 0, is_remote=False)


@call
def everything_at_start(tracer):
    tracer.start_span(
        "x",
        kind=SpanKind.PRODUCER,
        attributes={"a": 1, "b": "two"},
        links=[Link(OTHER, {"l": True}), Link(LOCAL)],
        start_time=5,
    ).end(9)


@call
def values_of_all_kinds(tracer):
    span = tracer.start_span("x")
    values = (
        "text",
        "",
        "ü" * 200,
        True,
        0,
        -1,
        2**63 - 1,
        0.5,
        float("inf"),
        b"\x00\xff",
        None,
        [],
        ["a", "b"],
        ("a", "b"),
        [1, 2.5, "mixed", None, True],
        [[1], [2, [3]]],
        {},
        {"k": 1, "n": {"m": ["x"]}},
        Decimal("1.50"),
        uuid.UUID(int=7),
    )
    for i, value in enumerate(values):
        span.set_attribute(f"v{i}", value)
    span.end()


@call
def attributes_again(tracer):
    span = tracer.start_span("x", attributes={"a": 1, "b": 2})
    span.set_attributes({"b": 3, "c": 4})
    span.set_attribute("a", "other")
    span.end()


@call
def attributes_without_name(tracer):
    span = tracer.start_span("x")
    span.set_attribute("", 1)
    span.set_attributes({"": 2, "a": 3})
    span.add_event("e", {"": 4, "b": 5}, 6)
    span.end()


@call
def a_value_that_changes_later(tracer):
    value = ["a"]
    span = tracer.start_span("x", attributes={"v": value})
    span.add_event("e", {"v": value}, 6)
    value.append("b")
    span.end()


@call
def many_attributes(tracer):
    span = tracer.start_span("x")
    for i in range(130):
        span.set_attribute(f"a{i}", i)
    span.end()


@call
def many_events(tracer):
    span = tracer.start_span("x")
    for i in range(130):
        span.add_event(f"e{i}", timestamp=i)
    span.end()


@call
def many_links(tracer):
    links = [Link(SpanContext(1, i + 1, is_remote=True)) for i in range(130)]
    span = tracer.start_span("x", links=links)
    span.add_link(OTHER)
    span.end()


@call
def many_attributes_of_events_and_links(tracer):
    many = {f"k{i}": i for i in range(130)}
    span = tracer.start_span("x", links=[Link(OTHER, many)])
    span.add_link(LOCAL, many)
    span.add_event("e", many, 6)
    span.end()


@call
def long_values(tracer):
    long = {
        "text": "abcdefgh",
        "letters": "äöüßäöüß",
        "short": "ab",
        "list": ["abcdefgh", "a", 12345678],
        "deep": {"k": ["abcdefgh"]},
        "number": 12345678,
    }
    span = tracer.start_span("x", attributes=long, links=[Link(OTHER, long)])
    span.set_attribute("later", "abcdefgh")
    span.add_event("e", long, 6)
    span.end()


@call
def links_later(tracer):
    span = tracer.start_span("x")
    span.add_link(OTHER, {"a": 1})
    span.add_link(LOCAL)
    span.end()


@call
def links_to_nothing(tracer):
    span = tracer.start_span("x", links=[Link(NOTHING), Link(NOTHING, {"a": 1})])
    span.add_link(NOTHING)
    span.add_link(NOTHING, {"b": 2})
    span.end()


@call
def events_in_order(tracer):
    span = tracer.start_span("x")
    span.add_event("second", timestamp=2)
    span.add_event("first", {"a": [1, 2]}, 1)
    span.add_event("", None, 3)
    span.end()


@call
def names(tracer):
    span = tracer.start_span("before")
    span.update_name("after")
    span.end()
    span.update_name("too late")
    tracer.start_span("").end()


@call
def kinds(tracer):
    for kind in SpanKind:
        tracer.start_span(kind.name, kind=kind).end()


@call
def statuses(tracer):
    error, ok, unset = StatusCode.ERROR, StatusCode.OK, StatusCode.UNSET
    for steps in (
        [],
        [(ok,)],
        [(error,)],
        [(error, "bad")],
        [(unset,)],
        [(error, "bad"), (unset,)],
        [(error, "bad"), (ok,)],
        [(error, "bad"), (error, "worse")],
        [(ok,), (error, "bad")],
        [(ok,), (unset,)],
        [(Status(error, "boxed"),)],
        [(Status(ok),), (Status(error, "late"),)],
        [(Status(unset),)],
        [(error, "")],
    ):
        span = tracer.start_span("x")
        for step in steps:
            span.set_status(*step)
        span.end()


@call
def exceptions(tracer):
    span = tracer.start_span("x")
    try:
        raise ValueError("wrong")
    except ValueError as error:
        span.record_exception(error)
        span.record_exception(error, {"a": 1, "exception.message": "mine"}, 6)
    span.record_exception(KeyError("never raised"))
    span.record_exception(ValueError())
    span.record_exception(asyncio.CancelledError("qualified"))
    span.end()


@call
def a_cause(tracer):
    span = tracer.start_span("x")
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        span.record_exception(error)
    span.end()
