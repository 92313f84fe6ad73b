"""The caller's trace context, as W3C Trace Context level 2 has it."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from opentelemetry import baggage
from opentelemetry.trace import get_current_span

from otel_aiohttp_logs.span.propagation import extractor
from otel_aiohttp_logs.span.trace_state import parse_trace_state

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def extracted(*headers):
    return extractor()(CIMultiDictProxy(CIMultiDict(headers)))


def parent(*headers):
    return get_current_span(extracted(*headers)).get_span_context()


@pytest.mark.parametrize(
    ("flags", "kept"), [("00", 0), ("01", 1), ("02", 2), ("03", 3), ("ff", 3)]
)
def test_continues_a_valid_traceparent(flags, kept):
    """Ids are taken over, of the flags only those that level 2 knows."""
    context = parent(("traceparent", f"00-{TRACE}-{SPAN}-{flags}"))

    assert f"{context.trace_id:032x}" == TRACE
    assert f"{context.span_id:016x}" == SPAN
    assert context.trace_flags == kept
    assert context.is_remote


@pytest.mark.parametrize("name", ["Traceparent", "TRACEPARENT", "TrAcEpArEnT"])
def test_header_names_have_no_case(name):
    """A header's name is found however it is written."""
    assert parent((name, f"00-{TRACE}-{SPAN}-01")).is_valid


@pytest.mark.parametrize("value", [f" 00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01\t"])
def test_space_around_a_value_does_not_count(value):
    """Optional white space is no part of a value."""
    assert parent(("traceparent", value)).is_valid


@pytest.mark.parametrize(
    "value",
    [
        f"cc-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-",
        f"cc-{TRACE}-{SPAN}-01-what-the-future-brings",
    ],
)
def test_a_later_version_is_read_as_far_as_we_know_it(value):
    """A version after ours may say more; its first four fields are ours."""
    assert f"{parent(('traceparent', value)).trace_id:032x}" == TRACE


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01.",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f".0-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN.upper()}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}.-{SPAN}-01",
        f"00-{TRACE}-{SPAN[:-1]}.-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-.1",
        f"00-{TRACE}-{SPAN}-0x",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
        "x" * 8192,
    ],
)
def test_an_invalid_traceparent_begins_a_new_trace(value):
    """What breaks the grammar is ignored, and so is a state beside it."""
    context = parent(("traceparent", value), ("tracestate", "a=1"))

    assert not context.is_valid
    assert not context.trace_state


def test_two_traceparents_begin_a_new_trace():
    """Neither of two can be trusted, even if both are valid."""
    one, two = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE[::-1]}-{SPAN}-01"

    assert not parent(("traceparent", one), ("traceparent", two)).is_valid


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (["foo=1,bar=2"], "foo=1,bar=2"),
        (["foo=1", "bar=2"], "foo=1,bar=2"),
        (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
        (["foo=1,", "", ",bar=2"], "foo=1,bar=2"),
        (["foo=1,foo=2"], "foo=1,foo=2"),
        (["foo@=1,foo@bar@baz=2"], "foo@=1,foo@bar@baz=2"),
        ([f"{'z' * 241}@{'v' * 14}=1"], f"{'z' * 241}@{'v' * 14}=1"),
        ([f"{'k' * 256}=1"], f"{'k' * 256}=1"),
        (["0k=1"], "0k=1"),
        ([f"foo={'v' * 256}"], f"foo={'v' * 256}"),
        (["a=b c"], "a=b c"),
        ([",".join(f"k{i}=1" for i in range(32))], None),
    ],
)
def test_a_tracestate_is_passed_on_as_it_came(headers, sent):
    """Order, doubles and level 2's keys are kept; empty members fall away."""
    assert parse_trace_state(headers).to_header() == (sent or headers[0])


@pytest.mark.parametrize(
    "header",
    [
        "foo =1",
        "FOO=1",
        "foo.bar=1",
        "@foo=1",
        f"{'k' * 257}=1",
        f"foo={'v' * 257}",
        "foo=",
        "foo=bar=baz",
        "foo",
        "foo=1,bar",
        "foo=\u00fc",
        "=1",
        ",".join(f"k{i}=1" for i in range(33)),
    ],
)
def test_an_invalid_tracestate_is_dropped_whole(header):
    """A state that breaks the grammar takes nothing else with it."""
    context = parent(("traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", header))

    assert context.is_valid
    assert context.trace_state.to_header() == ""


def test_a_tracestate_reads_and_changes_like_the_apis():
    """It is a mapping; a change makes a new one with the pair in front."""
    state = parse_trace_state(["a=1,b@x=2"])

    assert dict(state) == {"a": "1", "b@x": "2"}
    assert (state["a"], "a" in state, "c" in state, len(state)) == ("1", True, False, 2)
    assert list(state.keys()) == ["a", "b@x"]
    assert list(state.items()) == [("a", "1"), ("b@x", "2")]
    assert list(state.values()) == ["1", "2"]
    assert state.add("c", "3").to_header() == "c=3,a=1,b@x=2"
    assert state.add("a", "9") is state
    assert state.update("b@x", "9").to_header() == "b@x=9,a=1"
    assert state.update("B", "9") is state
    assert state.delete("a").to_header() == "b@x=2"
    assert state.to_header() == "a=1,b@x=2"


def test_baggage_comes_along():
    """The default propagators are tracecontext and baggage."""
    context = extracted(("baggage", "user=42"))

    assert baggage.get_all(context) == {"user": "42"}


def test_another_propagator_is_heard():
    """What the application or OTEL_PROPAGATORS sets goes before our own reading."""
    from opentelemetry import propagate
    from opentelemetry.propagators.textmap import TextMapPropagator
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        set_span_in_context,
    )

    class Single(TextMapPropagator):
        fields = frozenset({"b3"})

        def extract(self, carrier, context=None, getter=None):
            assert "b3" in getter.keys(carrier)
            (value,) = getter.get(carrier, "b3")
            trace_id, span_id = (int(part, 16) for part in value.split("-"))
            span = SpanContext(trace_id, span_id, is_remote=True)
            return set_span_in_context(NonRecordingSpan(span), context)

        def inject(self, carrier, context=None, setter=None):
            raise AssertionError

    before = propagate.get_global_textmap()
    propagate.set_global_textmap(Single())
    try:
        context = parent(
            ("b3", f"{TRACE}-{SPAN}"), ("traceparent", f"00-{'a' * 32}-{SPAN}-01")
        )
    finally:
        propagate.set_global_textmap(before)

    assert f"{context.trace_id:032x}" == TRACE
