"""
Jaeger's headers, through a real server and a real call.

The cases are the rules of
https://www.jaegertracing.io/docs/1.76/architecture/sdk/#propagation-format
"""

from __future__ import annotations

import pytest

TRACE = "80f198ee56343ba864fe8b2a57d3eff7"
OTHER_DIGITS = "\u0661" * 32
SPAN = "e457b5a2e4d86bd1"

pytestmark = pytest.mark.conformance("Jaeger")


@pytest.fixture
def ask(service):
    return service(OTEL_PROPAGATORS="jaeger").ask


# The value, the ids that are meant, and the flags that are passed on.
CONTINUED = {
    "sampled": (f"{TRACE}:{SPAN}:0:1", TRACE, SPAN, "1"),
    "not sampled": (f"{TRACE}:{SPAN}:0:0", TRACE, SPAN, "0"),
    "debug": (f"{TRACE}:{SPAN}:0:3", TRACE, SPAN, "3"),
    "debug alone implies sampled": (f"{TRACE}:{SPAN}:0:2", TRACE, SPAN, "3"),
    "flags of two digits": (f"{TRACE}:{SPAN}:0:01", TRACE, SPAN, "1"),
    "other flags, sampled": (f"{TRACE}:{SPAN}:0:9", TRACE, SPAN, "1"),
    "other flags, not sampled": (f"{TRACE}:{SPAN}:0:8", TRACE, SPAN, "0"),
    "all flags": (f"{TRACE}:{SPAN}:0:ff", TRACE, SPAN, "3"),
    "a parent": (f"{TRACE}:{SPAN}:05e3ac9a4f6e3b90:1", TRACE, SPAN, "1"),
    "a parent of zeros": (f"{TRACE}:{SPAN}:{'0' * 16}:1", TRACE, SPAN, "1"),
    "a trace id of 64 bits": (f"{SPAN}:{SPAN}:0:1", SPAN.zfill(32), SPAN, "1"),
    "a trace id without its zeros": (f"1f:{SPAN}:0:1", "1f".zfill(32), SPAN, "1"),
    "a trace id of one digit": (f"1:{SPAN}:0:1", "1".zfill(32), SPAN, "1"),
    "a trace id of 31 digits": (
        f"{TRACE[:31]}:{SPAN}:0:1",
        f"0{TRACE[:31]}",
        SPAN,
        "1",
    ),
    "a span id without its zeros": (f"{TRACE}:7b:0:1", TRACE, "7b".zfill(16), "1"),
    "upper case": (f"{TRACE.upper()}:{SPAN.upper()}:0:1", TRACE, SPAN, "1"),
    "encoded colons": (f"{TRACE}%3A{SPAN}%3A0%3A1", TRACE, SPAN, "1"),
    "encoded colons in lower case": (f"{TRACE}%3a{SPAN}%3a0%3a0", TRACE, SPAN, "0"),
    "space around": (f" \t{TRACE}:{SPAN}:0:1 ", TRACE, SPAN, "1"),
}

INVALID = {
    "empty": "",
    "nonsense": "nonsense",
    "a trace id of zero": f"0:{SPAN}:0:1",
    "a trace id of zeros": f"{'0' * 32}:{SPAN}:0:1",
    "a trace id too long": f"{TRACE}0:{SPAN}:0:1",
    "a trace id too long, with zeros": f"0{TRACE}:{SPAN}:0:1",
    "a trace id that is no hex": f"{TRACE[:-1]}g:{SPAN}:0:1",
    "a trace id with 0x": f"0x{TRACE[:-2]}:{SPAN}:0:1",
    "a trace id with a sign": f"-{TRACE[:-1]}:{SPAN}:0:1",
    "a trace id with an underscore": f"80_f1:{SPAN}:0:1",
    "an empty trace id": f":{SPAN}:0:1",
    "a span id of zero": f"{TRACE}:0:0:1",
    "a span id too long": f"{TRACE}:{SPAN}0:0:1",
    "a span id that is no hex": f"{TRACE}:x:0:1",
    "an empty span id": f"{TRACE}::0:1",
    "a parent that is no hex": f"{TRACE}:{SPAN}:x:1",
    "a parent too long": f"{TRACE}:{SPAN}:{SPAN}0:1",
    "flags too long": f"{TRACE}:{SPAN}:0:001",
    "flags that are no hex": f"{TRACE}:{SPAN}:0:x",
    "flags with a sign": f"{TRACE}:{SPAN}:0:-1",
    "empty flags": f"{TRACE}:{SPAN}:0:",
    "three fields": f"{TRACE}:{SPAN}:1",
    "five fields": f"{TRACE}:{SPAN}:0:1:1",
    "the wrong separator": f"{TRACE}-{SPAN}-0-1",
    "other digits": f"{OTHER_DIGITS}:{SPAN}:0:1",
    "bytes that are no text": b"\xff\xfe:1:0:1",
    "over-long": "0" * 8000,
}

# Headers, what the application sees, and the headers of the call.
BAGGAGE = {
    "one": ([("uberctx-user", "42")], {"user": "42"}, {"uberctx-user": "42"}),
    "two": (
        [("uberctx-a", "1"), ("uberctx-b", "2")],
        {"a": "1", "b": "2"},
        {"uberctx-a": "1", "uberctx-b": "2"},
    ),
    "names in any case": ([("Uberctx-User-Id", "42")], {"user-id": "42"}, None),
    "encoded": (
        [("uberctx-a", "b%20c%2Cd")],
        {"a": "b c,d"},
        {"uberctx-a": "b%20c%2Cd"},
    ),
    "encoded letters": ([("uberctx-a", "%C3%BC")], {"a": "ü"}, {"uberctx-a": "%C3%BC"}),
    "an encoded line break": (
        [("uberctx-a", "b%0D%0Ac: d")],
        {"a": "b\r\nc: d"},
        {"uberctx-a": "b%0D%0Ac%3A%20d"},
    ),
    "an empty value": ([("uberctx-a", "")], {"a": ""}, {"uberctx-a": ""}),
    "= in a value": ([("uberctx-a", "b=c")], {"a": "b=c"}, {"uberctx-a": "b%3Dc"}),
    "no name": ([("uberctx-", "1")], {}, {}),
    "by hand": (
        [("jaeger-baggage", "a=1, b = 2")],
        {"a": "1", "b": "2"},
        {"uberctx-a": "1", "uberctx-b": "2"},
    ),
    "by hand, broken": ([("jaeger-baggage", "a,=1,,b=2")], {"b": "2"}, None),
    "W3C's header is another format": ([("baggage", "a=1")], {}, {}),
    "65 entries": (
        [(f"uberctx-k{i}", "v") for i in range(40)]
        + [("jaeger-baggage", ",".join(f"h{i}=v" for i in range(25)))],
        {**{f"h{i}": "v" for i in range(25)}, **{f"k{i}": "v" for i in range(39)}},
        None,
    ),
    "more than 8192 bytes": (
        [("uberctx-a", "v" * 8000), ("uberctx-b", "w" * 8000), ("uberctx-c", "1")],
        {"a": "v" * 8000, "c": "1"},
        None,
    ),
}


@pytest.mark.parametrize(
    ("value", "trace_id", "span_id", "flags"), CONTINUED.values(), ids=CONTINUED
)
def test_a_valid_caller_is_continued(ask, value, trace_id, span_id, flags):
    """
    Short ids are padded; the call carries them in full, with the flags that Jaeger
    defines, and 0 for the parent, which it no longer wants.
    """
    answer = ask(("uber-trace-id", value))
    sent = answer.header("uber-trace-id").split(":")

    assert answer.trace_id == trace_id
    assert answer.sampled == (flags != "0")
    if answer.sampled:
        assert (answer.parent_id, answer.remote) == (span_id, True)
    assert (sent[0], sent[2], sent[3]) == (trace_id, "0", flags)
    assert sent[1] not in {span_id, "0" * 16}
    assert answer.by_api["uber-trace-id"] == f"{trace_id}:{answer.span_id}:0:{flags}"


@pytest.mark.parametrize("value", INVALID.values(), ids=INVALID)
def test_an_invalid_caller_begins_a_new_trace(ask, value):
    """What breaks the format is ignored as a whole."""
    answer = ask(("uber-trace-id", value))

    assert answer.trace_id not in {TRACE, "0" * 32}
    assert answer.parent_id is None
    assert answer.header("uber-trace-id").startswith(f"{answer.trace_id}:")
    assert answer.header("uber-trace-id").endswith(":0:1")


@pytest.mark.parametrize("name", ["uber-trace-id", "Uber-Trace-Id", "UBER-TRACE-ID"])
def test_its_name_has_no_case(ask, name):
    """The header is found in any case."""
    assert ask((name, f"{TRACE}:{SPAN}:0:1")).parent_id == SPAN


def test_two_of_them_begin_a_new_trace(ask):
    """Of two headers neither can be trusted."""
    answer = ask(
        ("uber-trace-id", f"{TRACE}:{SPAN}:0:1"), ("uber-trace-id", f"1:{SPAN}:0:1")
    )

    assert answer.parent_id is None


@pytest.mark.parametrize("parent", [True, False], ids=["with a caller", "without"])
@pytest.mark.parametrize(("headers", "seen", "sent"), BAGGAGE.values(), ids=BAGGAGE)
def test_baggage_is_seen_and_passed_on(ask, headers, seen, sent, parent):
    """It's decoded for the application and encoded again for the call."""
    caller = [("uber-trace-id", f"{TRACE}:{SPAN}:0:1")] if parent else []
    answer = ask(*caller, *headers)
    carried = {k: v for k, v in answer.sent if k.startswith("uberctx-")}

    assert answer.baggage == seen
    if sent is None:
        assert carried == {f"uberctx-{name}": seen[name] for name in seen}
    else:
        assert carried == sent
