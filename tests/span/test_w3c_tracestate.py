"""
W3C Trace Context, level 2: the state, through a real server and a real call.

The cases are the rules of https://www.w3.org/TR/trace-context-2/, section 3.3.
"""

from __future__ import annotations

import pytest

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = ("traceparent", f"00-{TRACE}-{SPAN}-01")
# Values may have any of these (3.3.1.3.2), and a space that isn't the last.
OCTETS = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in ",=")

pytestmark = pytest.mark.conformance("W3C Trace Context")


@pytest.fixture
def ask(served):
    return lambda *states: served.ask(PARENT, *(("tracestate", s) for s in states))


def members(number):
    return ",".join(f"k{i}=v{i}" for i in range(number))


PASSED_ON = {
    "one member": (["foo=1"], "foo=1"),
    "two, in order": (["foo=1,bar=2"], "foo=1,bar=2"),
    "two, in the other order": (["bar=2,foo=1"], "bar=2,foo=1"),
    "two headers": (["foo=1", "bar=2"], "foo=1,bar=2"),
    "three headers": (["a=1,b=2", "c=3", "d=4,e=5"], "a=1,b=2,c=3,d=4,e=5"),
    "space around members": (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
    "space around the header": ([" \tfoo=1 \t"], "foo=1"),
    "empty members": (["foo=1,,bar=2,"], "foo=1,bar=2"),
    "members of space": (["foo=1, \t,bar=2"], "foo=1,bar=2"),
    "a comma first": ([",foo=1"], "foo=1"),
    "an empty header between": (["foo=1", "", "bar=2"], "foo=1,bar=2"),
    "an empty header alone": ([""], None),
    "only commas": ([",,,"], None),
    "32 members": ([members(32)], members(32)),
    "32 members in two headers": (
        [members(32)[: members(32).index(",k16")], members(32).split(",k15=v15,")[1]],
        members(32),
    ),
    "32 members and empty ones": ([f"{members(32)},,"], members(32)),
    "a key twice": (["foo=1,foo=2"], "foo=1,foo=2"),
    "a key twice, in two headers": (["foo=1", "foo=1"], "foo=1,foo=1"),
    "a key of one letter": (["a=1"], "a=1"),
    "a key of one digit": (["0=1"], "0=1"),
    "a key that begins with a digit": (["0k=1"], "0k=1"),
    "a key with all that is allowed": (["a0_-*/=1"], "a0_-*/=1"),
    "a key of 256 characters": ([f"{'k' * 256}=1"], f"{'k' * 256}=1"),
    "a tenant's key": (["fw529a3039@dt=1"], "fw529a3039@dt=1"),
    "a tenant that begins with a digit": (["0t@v=1"], "0t@v=1"),
    "a tenant of 241 and a system of 14": (
        [f"{'t' * 241}@{'v' * 14}=1"],
        f"{'t' * 241}@{'v' * 14}=1",
    ),
    "level 2: a tenant of 242": ([f"{'t' * 242}@v=1"], f"{'t' * 242}@v=1"),
    "level 2: a system of 15": ([f"t@{'v' * 15}=1"], f"t@{'v' * 15}=1"),
    "level 2: a system with a digit first": (["t@0v=1"], "t@0v=1"),
    "level 2: @ is last": (["foo@=1"], "foo@=1"),
    "level 2: @ twice": (["foo@bar@baz=1"], "foo@bar@baz=1"),
    "level 2: @@": (["foo@@bar=1"], "foo@@bar=1"),
    "level 2: 256 characters with @": (
        [f"{'t' * 200}@{'v' * 55}=1"],
        f"{'t' * 200}@{'v' * 55}=1",
    ),
    "a value of one character": (["foo=1"], "foo=1"),
    "a value of 256 characters": ([f"foo={'v' * 256}"], f"foo={'v' * 256}"),
    "a value with all that is allowed": ([f"foo={OCTETS}"], f"foo={OCTETS}"),
    "a space inside of a value": (["foo=b c"], "foo=b c"),
    "a space before a value": (["foo= 1"], "foo= 1"),
    "512 characters": (
        [f"a={'v' * 253},b={'w' * 254}"],
        f"a={'v' * 253},b={'w' * 254}",
    ),
}

DROPPED = {
    "a space after the key": "foo =1",
    "a tab after the key": "foo\t=1",
    "a key in upper case": "FOO=1",
    "a key with a letter in upper case": "foO=1",
    "a key with a dot": "foo.bar=1",
    "a key with a space": "foo bar=1",
    "a key that begins with _": "_foo=1",
    "a key that begins with -": "-foo=1",
    "a key that begins with *": "*foo=1",
    "a key that begins with /": "/foo=1",
    "a key that begins with @": "@foo=1",
    "a key of 257 characters": f"{'k' * 257}=1",
    "an empty key": "=1",
    "a value of 257 characters": f"foo={'v' * 257}",
    "an empty value": "foo=",
    "a value of a space": "foo= ",
    "= in a value": "foo=bar=baz",
    "no =": "foo",
    "one good member, one bad": "foo=1,bar",
    "a letter beyond ASCII in a value": "foo=\u00fc",
    "a letter beyond ASCII in a key": "f\u00fc=1",
    "a tab inside of a value": "foo=a\tb",
    "bytes that are no text": b"foo=\xff\xfe",
    "33 members": members(33),
    "; instead of a comma": "foo=1;bar=2",
}


@pytest.mark.parametrize(("headers", "sent"), PASSED_ON.values(), ids=PASSED_ON)
def test_a_valid_state_is_passed_on(ask, headers, sent):
    """As it came, joined in order, without empty members; doubled keys stay."""
    answer = ask(*headers)

    assert answer.parent_id == SPAN
    assert answer.state == (sent or "")
    assert answer.header("tracestate") == sent
    assert answer.by_api.get("tracestate") == sent


@pytest.mark.parametrize("value", DROPPED.values(), ids=DROPPED)
def test_an_invalid_state_is_dropped(ask, value):
    """The whole state, not one member of it; the traceparent is kept (3.3.1.1)."""
    answer = ask(value)

    assert (answer.trace_id, answer.parent_id) == (TRACE, SPAN)
    assert answer.state == ""
    assert answer.header("tracestate") is None


def test_33_members_in_two_headers_are_too_many(ask):
    """The limit holds for all headers together (3.3.1.1)."""
    answer = ask(members(32), "one=more")

    assert (answer.parent_id, answer.state) == (SPAN, "")


@pytest.mark.parametrize("name", ["tracestate", "TraceState", "TRACESTATE"])
def test_its_name_has_no_case(served, name):
    """3.3.1: the header is found in any case."""
    assert served.ask(PARENT, (name, "foo=1")).header("tracestate") == "foo=1"


def test_an_unsampled_request_passes_it_on(served):
    """The state goes on, and the flags stay 00, whether we record or not."""
    answer = served.ask(
        ("traceparent", f"00-{TRACE}-{SPAN}-00"), ("tracestate", "foo=1,foo=2")
    )

    assert not answer.sampled
    assert answer.header("traceparent").startswith(f"00-{TRACE}-")
    assert answer.header("traceparent").endswith("-00")
    assert answer.header("tracestate") == "foo=1,foo=2"


def test_a_state_that_is_too_long_loses_its_large_members_first(ask):
    """
    3.3.1.5: those over 128 characters go first, here from the end; what is left fits
    into the next server's limits.
    """
    large = [f"k{i}={'v' * 252}" for i in range(20)]
    small = [f"s{i}=1" for i in range(12)]
    answer = ask(",".join(large[:16]), ",".join([*large[16:], *small]), "")
    assert answer.header("tracestate").split(",") == [*large, *small]

    huge = [f"{'k' * 250}{i:02}={'v' * 252}" for i in range(20)]
    answer = ask(",".join(huge[:10]), ",".join([*huge[10:], *small]))
    sent = answer.header("tracestate")
    assert len(sent) <= 8000
    assert sent.split(",") == [*huge[:15], *small]
