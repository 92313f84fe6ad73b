"""
B3 in one header and in several, through a real server and a real call.

The cases are the rules of https://github.com/openzipkin/b3-propagation and of
OpenTelemetry for it: https://opentelemetry.io/docs/specs/otel/context/api-propagators/
"""

from __future__ import annotations

import pytest

TRACE = "80f198ee56343ba864fe8b2a57d3eff7"
SHORT = "a3ce929d0e0e4736"
SPAN = "e457b5a2e4d86bd1"
PARENT = "05e3ac9a4f6e3b90"
NAMES = ("X-B3-TraceId", "X-B3-SpanId", "X-B3-Sampled", "X-B3-Flags")

pytestmark = pytest.mark.conformance("B3")


@pytest.fixture(params=["b3", "b3multi"])
def written(request):
    return request.param


@pytest.fixture
def ask(service, written):
    """Ask a service; both formats are read, whichever is written."""
    return service(OTEL_PROPAGATORS=written).ask


def several(trace_id=None, span_id=None, sampled=None, flags=None, **more):
    values = (trace_id, span_id, sampled, flags)
    pairs = [*zip(NAMES, values, strict=True), *more.items()]
    return [(name, value) for name, value in pairs if value is not None]


def state_sent(answer, written):
    """Return the ids and the state that the call carried: 1, 0 or d."""
    if written == "b3":
        assert answer.header("x-b3-traceid") is None
        trace_id, span_id, state = answer.header("b3").split("-")
        return trace_id, span_id, state
    assert answer.header("b3") is None
    assert answer.header("x-b3-parentspanid") is None
    sampled, flags = answer.header("x-b3-sampled"), answer.header("x-b3-flags")
    assert (sampled is None) != (flags is None)
    return (
        answer.header("x-b3-traceid"),
        answer.header("x-b3-spanid"),
        "d" if flags == "1" else sampled,
    )


# Headers, and the trace id, whether it is recorded, and the state passed on.
CONTINUED = {
    "accepted": ([("b3", f"{TRACE}-{SPAN}-1")], TRACE, "1"),
    "denied": ([("b3", f"{TRACE}-{SPAN}-0")], TRACE, "0"),
    "debug": ([("b3", f"{TRACE}-{SPAN}-d")], TRACE, "d"),
    "deferred": ([("b3", f"{TRACE}-{SPAN}")], TRACE, "1"),
    "accepted, with a parent": ([("b3", f"{TRACE}-{SPAN}-1-{PARENT}")], TRACE, "1"),
    "denied, with a parent": ([("b3", f"{TRACE}-{SPAN}-0-{PARENT}")], TRACE, "0"),
    "debug, with a parent": ([("b3", f"{TRACE}-{SPAN}-d-{PARENT}")], TRACE, "d"),
    "deferred, with a parent": ([("b3", f"{TRACE}-{SPAN}-{PARENT}")], TRACE, "1"),
    "a trace id of 64 bits": ([("b3", f"{SHORT}-{SPAN}-1")], SHORT.zfill(32), "1"),
    "space around": ([("b3", f" \t{TRACE}-{SPAN}-1 ")], TRACE, "1"),
    "the name in upper case": ([("B3", f"{TRACE}-{SPAN}-1")], TRACE, "1"),
    "several: accepted": (several(TRACE, SPAN, "1"), TRACE, "1"),
    "several: denied": (several(TRACE, SPAN, "0"), TRACE, "0"),
    "several: deferred": (several(TRACE, SPAN), TRACE, "1"),
    "several: debug": (several(TRACE, SPAN, None, "1"), TRACE, "d"),
    "several: debug and accepted": (several(TRACE, SPAN, "1", "1"), TRACE, "d"),
    "several: debug goes before denied": (several(TRACE, SPAN, "0", "1"), TRACE, "d"),
    "several: flags 0": (several(TRACE, SPAN, "0", "0"), TRACE, "0"),
    "several: flags of another kind": (several(TRACE, SPAN, "0", "7"), TRACE, "0"),
    "several: as before there was a standard, true": (
        several(TRACE, SPAN, "true"),
        TRACE,
        "1",
    ),
    "several: as before, True": (several(TRACE, SPAN, "True"), TRACE, "1"),
    "several: as before, false": (several(TRACE, SPAN, "false"), TRACE, "0"),
    "several: a trace id of 64 bits": (
        several(SHORT, SPAN, "1"),
        SHORT.zfill(32),
        "1",
    ),
    "several: with a parent": (
        several(TRACE, SPAN, "1", **{"X-B3-ParentSpanId": PARENT}),
        TRACE,
        "1",
    ),
    "several: names in lower case": (
        [(name.lower(), value) for name, value in several(TRACE, SPAN, "1")],
        TRACE,
        "1",
    ),
    "one goes before several": (
        [("b3", f"{TRACE}-{SPAN}-1"), *several("f" * 32, "e" * 16, "0")],
        TRACE,
        "1",
    ),
    "several, if one is broken": (
        [("b3", "nonsense"), *several(TRACE, SPAN, "0")],
        TRACE,
        "0",
    ),
}

# Headers, and whether the new trace is recorded.
NEW = {
    "nothing": ([], "1"),
    "accepted, no ids": ([("b3", "1")], "1"),
    "denied, no ids": ([("b3", "0")], "0"),
    "debug, no ids": ([("b3", "d")], "d"),
    "several: accepted, no ids": (several(sampled="1"), "1"),
    "several: denied, no ids": (several(sampled="0"), "0"),
    "several: debug, no ids": (several(flags="1"), "d"),
    "empty": ([("b3", "")], "1"),
    "another state": ([("b3", "2")], "1"),
    "a trace id alone": ([("b3", TRACE)], "1"),
    "a trace id too short": ([("b3", f"{TRACE[:-1]}-{SPAN}-0")], "1"),
    "a trace id too long": ([("b3", f"{TRACE}0-{SPAN}-0")], "1"),
    "a trace id of 24 digits": ([("b3", f"{TRACE[:24]}-{SPAN}-0")], "1"),
    "a trace id in upper case": ([("b3", f"{TRACE.upper()}-{SPAN}-0")], "1"),
    "a trace id that is no hex": ([("b3", f"{TRACE[:-1]}g-{SPAN}-0")], "1"),
    "a trace id of zeros": ([("b3", f"{'0' * 32}-{SPAN}-0")], "1"),
    "a span id too short": ([("b3", f"{TRACE}-{SPAN[:-1]}-0")], "1"),
    "a span id too long": ([("b3", f"{TRACE}-{SPAN}0-0")], "1"),
    "a span id in upper case": ([("b3", f"{TRACE}-{SPAN.upper()}-0")], "1"),
    "a span id of zeros": ([("b3", f"{TRACE}-{'0' * 16}-0")], "1"),
    "an unknown state": ([("b3", f"{TRACE}-{SPAN}-2")], "1"),
    "a state in upper case": ([("b3", f"{TRACE}-{SPAN}-D")], "1"),
    "an empty state": ([("b3", f"{TRACE}-{SPAN}-")], "1"),
    "a parent too short": ([("b3", f"{TRACE}-{SPAN}-0-{PARENT[:-1]}")], "1"),
    "more than a parent": ([("b3", f"{TRACE}-{SPAN}-0-{PARENT}-0")], "1"),
    "two of them": ([("b3", f"{TRACE}-{SPAN}-0"), ("b3", f"{SHORT}-{SPAN}-0")], "1"),
    "over-long": ([("b3", "0" * 8000)], "1"),
    "bytes that are no text": ([("b3", b"\xff\xfe")], "1"),
    "several: no span id": (several(TRACE, None, "0"), "1"),
    "several: no trace id": (several(None, SPAN, "0"), "1"),
    "several: a trace id too short": (several(TRACE[:-1], SPAN, "0"), "1"),
    "several: a trace id in upper case": (several(TRACE.upper(), SPAN, "0"), "1"),
    "several: a trace id of zeros": (several("0" * 32, SPAN, "0"), "1"),
    "several: a span id too long": (several(TRACE, f"{SPAN}0", "0"), "1"),
    "several: a span id of zeros": (several(TRACE, "0" * 16, "0"), "1"),
    "several: two trace ids": (
        [*several(TRACE, SPAN, "0"), ("x-b3-traceid", SHORT)],
        "1",
    ),
    "several: two trace ids and no span id": (
        [*several(TRACE, None, "0"), ("x-b3-traceid", SHORT)],
        "1",
    ),
    "several: two span ids and no trace id": (
        [*several(None, SPAN, "0"), ("x-b3-spanid", PARENT)],
        "1",
    ),
    "several: a trace id with a dash": (several(f"{SHORT}-{SPAN}", SPAN, "0"), "1"),
    "several: a state that is none": (several(sampled="maybe"), "1"),
    "W3C's header is another format": (
        [("traceparent", f"00-{TRACE}-{SPAN}-00")],
        "1",
    ),
}


@pytest.mark.parametrize(
    ("headers", "trace_id", "state"), CONTINUED.values(), ids=CONTINUED
)
def test_a_valid_caller_is_continued(ask, written, headers, trace_id, state):
    """
    The span hangs under the caller's, with an id of its own; the call carries trace and
    state on, the debug flag too.
    """
    answer = ask(*headers)
    sent_trace, sent_span, sent_state = state_sent(answer, written)

    assert answer.trace_id == trace_id
    assert answer.sampled == (state != "0")
    if answer.sampled:
        assert (answer.parent_id, answer.remote) == (SPAN, True)
    assert answer.span_id != SPAN
    assert (sent_trace, sent_state) == (trace_id, state)
    assert sent_span not in {SPAN, "0" * 16}


@pytest.mark.parametrize(("headers", "state"), NEW.values(), ids=NEW)
def test_a_new_trace_begins(ask, written, headers, state):
    """
    What breaks the format is ignored as a whole, its state too; a decision without ids
    holds for the new trace.
    """
    answer = ask(*headers)
    sent_trace, _, sent_state = state_sent(answer, written)

    assert answer.trace_id not in {TRACE, SHORT.zfill(32), "0" * 32}
    assert answer.parent_id is None
    assert answer.sampled == (state != "0")
    assert (sent_trace, sent_state) == (answer.trace_id, state)


@pytest.mark.parametrize("name", ["b3", "b3multi"])
def test_the_api_writes_the_same(service, name):
    """What other instrumentations write has the debug flag, too."""
    answer = service(OTEL_PROPAGATORS=name).ask(("b3", f"{TRACE}-{SPAN}-d"))

    if name == "b3":
        assert answer.by_api == {"b3": f"{TRACE}-{answer.span_id}-d"}
    else:
        assert answer.by_api == {
            "x-b3-traceid": TRACE,
            "x-b3-spanid": answer.span_id,
            "x-b3-flags": "1",
        }


def test_who_leaves_the_decision_to_us_hears_our_sampler(service):
    """Deferred is neither yes nor no: here the root's sampler says no."""
    ask = service(
        OTEL_PROPAGATORS="b3", OTEL_TRACES_SAMPLER="parentbased_always_off"
    ).ask

    assert not ask(("b3", f"{TRACE}-{SPAN}")).sampled
    assert not ask(*several(TRACE, SPAN)).sampled
    assert ask(("b3", f"{TRACE}-{SPAN}-1")).sampled
    assert ask(("b3", "1")).sampled
    assert not ask().sampled
