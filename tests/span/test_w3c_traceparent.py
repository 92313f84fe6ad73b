"""
W3C Trace Context, level 2: who is the parent, through a real server and a real call.

The cases are the rules of https://www.w3.org/TR/trace-context-2/, sections 3.2 and 4.3.
"""

from __future__ import annotations

import pytest

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER_DIGITS = "\u0661" * 32
SPAN = "00f067aa0ba902b7"
OTHER = f"00-{'a' * 32}-{'b' * 16}-01"

pytestmark = pytest.mark.conformance("W3C Trace Context")


@pytest.fixture
def ask(served):
    return served.ask


VALID = {
    "flags 00": f"00-{TRACE}-{SPAN}-00",
    "flags 01": f"00-{TRACE}-{SPAN}-01",
    "flags 02, random": f"00-{TRACE}-{SPAN}-02",
    "flags 03": f"00-{TRACE}-{SPAN}-03",
    "unknown flags ff": f"00-{TRACE}-{SPAN}-ff",
    "unknown flags fc": f"00-{TRACE}-{SPAN}-fc",
    "3.2.2.4 a later version": f"01-{TRACE}-{SPAN}-01",
    "a later version cc": f"cc-{TRACE}-{SPAN}-01",
    "a later version that ends with a dash": f"cc-{TRACE}-{SPAN}-01-",
    "a later version that says more": f"cc-{TRACE}-{SPAN}-01-what-the-future-brings",
    "the last version, fe": f"fe-{TRACE}-{SPAN}-01",
    "space before": f"   00-{TRACE}-{SPAN}-01",
    "space after": f"00-{TRACE}-{SPAN}-01   ",
    "tabs around": f"\t00-{TRACE}-{SPAN}-01\t",
    "a trace id that begins with zeros": f"00-{'0' * 31}1-{SPAN}-01",
    "a span id that begins with zeros": f"00-{TRACE}-{'0' * 15}1-01",
}

INVALID = {
    "empty": "",
    "nonsense": "nonsense",
    "3.2.2.1 version ff": f"ff-{TRACE}-{SPAN}-01",
    "a version of one digit": f"0-{TRACE}-{SPAN}-01",
    "a version of three digits": f"000-{TRACE}-{SPAN}-01",
    "a version that is no hex": f".0-{TRACE}-{SPAN}-01",
    "a version that is no hex, second digit": f"0.-{TRACE}-{SPAN}-01",
    "a version in upper case": f"CC-{TRACE}-{SPAN}-01",
    "no version": f"{TRACE}-{SPAN}-01",
    "3.2.2.3 a trace id of zeros": f"00-{'0' * 32}-{SPAN}-01",
    "a trace id in upper case": f"00-{TRACE.upper()}-{SPAN}-01",
    "a trace id that is no hex": f"00-{TRACE[:-1]}.-{SPAN}-01",
    "a trace id with a letter after f": f"00-{TRACE[:-1]}g-{SPAN}-01",
    "a trace id too short": f"00-{TRACE[:-1]}-{SPAN}-01",
    "a trace id too long": f"00-{TRACE}0-{SPAN}-01",
    "an empty trace id": f"00--{SPAN}-01",
    "3.2.2.3 a span id of zeros": f"00-{TRACE}-{'0' * 16}-01",
    "a span id in upper case": f"00-{TRACE}-{SPAN.upper()}-01",
    "a span id that is no hex": f"00-{TRACE}-{SPAN[:-1]}.-01",
    "a span id too short": f"00-{TRACE}-{SPAN[:-1]}-01",
    "a span id too long": f"00-{TRACE}-{SPAN}0-01",
    "an empty span id": f"00-{TRACE}--01",
    "flags too short": f"00-{TRACE}-{SPAN}-1",
    "flags too long": f"00-{TRACE}-{SPAN}-001",
    "flags that are no hex": f"00-{TRACE}-{SPAN}-.1",
    "flags in upper case": f"00-{TRACE}-{SPAN}-0A",
    "empty flags": f"00-{TRACE}-{SPAN}-",
    "no flags": f"00-{TRACE}-{SPAN}",
    "version 00 that ends with a dash": f"00-{TRACE}-{SPAN}-01-",
    "version 00 that says more": f"00-{TRACE}-{SPAN}-01-more",
    "version 00 with a dot": f"00-{TRACE}-{SPAN}-01.",
    "a later version with a dot": f"cc-{TRACE}-{SPAN}-01.what",
    "a later version, too short": f"cc-{TRACE}-{SPAN}",
    "the wrong separator": f"00_{TRACE}_{SPAN}_01",
    "space inside": f"00-{TRACE} -{SPAN}-01",
    "a comma behind": f"00-{TRACE}-{SPAN}-01,",
    "two in one header": f"00-{TRACE}-{SPAN}-01,{OTHER}",
    "quoted": f'"00-{TRACE}-{SPAN}-01"',
    "other digits": f"00-{OTHER_DIGITS}-{SPAN}-01",
    "bytes that are no text": b"00-" + b"\xff" * 32 + b"-" + SPAN.encode() + b"-01",
    "over-long": "0" * 8000,
}


@pytest.mark.parametrize("value", VALID.values(), ids=VALID)
def test_a_valid_traceparent_is_continued(ask, value):
    """
    The span hangs under the caller's, of the flags those of level 2 are heard; the call
    carries the trace on, in version 00, under a span of ours.
    """
    given = value.strip().split("-")
    answer = ask(("traceparent", value))
    sent = answer.header("traceparent").split("-")

    assert answer.trace_id == given[1]
    assert answer.sampled == bool(int(given[3], 16) & 1)
    if answer.sampled:
        assert (answer.parent_id, answer.remote) == (given[2], True)
    assert answer.flags == int(given[3], 16) & 3
    assert (sent[0], sent[1], int(sent[3], 16)) == ("00", given[1], answer.flags)
    assert sent[2] not in {given[2], answer.span_id, "0" * 16} or not answer.sampled
    assert answer.by_api["traceparent"].split("-")[2] == answer.span_id


@pytest.mark.parametrize("value", INVALID.values(), ids=INVALID)
def test_an_invalid_traceparent_begins_a_new_trace(ask, value):
    """What breaks the grammar is ignored, and so is the state beside it (3.3)."""
    answer = ask(("traceparent", value), ("tracestate", "a=1"))

    assert answer.trace_id not in {TRACE, "0" * 32}
    assert answer.parent_id is None
    assert answer.state == ""
    assert answer.header("traceparent").startswith(f"00-{answer.trace_id}-")
    assert answer.header("tracestate") is None


@pytest.mark.parametrize(
    "name", ["traceparent", "Traceparent", "TraceParent", "TRACEPARENT", "tRaCePaReNt"]
)
def test_its_name_has_no_case(ask, name):
    """3.2.1: the header is found in any case, and sent in lower case."""
    answer = ask((name, f"00-{TRACE}-{SPAN}-01"))

    assert answer.parent_id == SPAN
    assert answer.header("traceparent").startswith(f"00-{TRACE}-")


@pytest.mark.parametrize("name", ["trace-parent", "trace_parent", "x-traceparent"])
def test_other_names_are_not_it(ask, name):
    """3.2.1: the name is one word."""
    answer = ask((name, f"00-{TRACE}-{SPAN}-01"))

    assert answer.trace_id != TRACE
    assert answer.parent_id is None


@pytest.mark.parametrize(
    "second", [OTHER, f"00-{TRACE}-{SPAN}-01", "nonsense", ""], ids=str
)
def test_two_of_them_begin_a_new_trace(ask, second):
    """Of two headers neither can be trusted, whatever they say, and in any order."""
    pair = [("traceparent", f"00-{TRACE}-{SPAN}-01"), ("Traceparent", second)]

    for headers in (pair, pair[::-1]):
        answer = ask(*headers, ("tracestate", "a=1"))
        assert answer.trace_id not in {TRACE, "a" * 32}
        assert (answer.parent_id, answer.state) == (None, "")


def test_without_any_a_random_trace_begins(ask):
    """3.2.2.5.2: the id is random, and says so; two requests have two."""
    one, two = ask(), ask()

    assert one.trace_id != two.trace_id
    assert (one.parent_id, two.parent_id) == (None, None)
    assert (one.flags, two.flags) == (3, 3)


def test_a_state_alone_is_ignored(ask):
    """3.3: without a traceparent the state isn't parsed, nor passed on."""
    answer = ask(("tracestate", "a=1"))

    assert answer.state == ""
    assert answer.header("tracestate") is None


def test_each_call_has_a_span_id_of_its_own(ask):
    """4.3: the parent id changes with each call, the trace id never."""
    answers = [ask(("traceparent", f"00-{TRACE}-{SPAN}-01")) for _ in range(3)]
    sent = [answer.header("traceparent").split("-") for answer in answers]

    assert {parts[1] for parts in sent} == {TRACE}
    assert len({parts[2] for parts in sent} | {SPAN}) == 4
