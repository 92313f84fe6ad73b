"""
W3C Baggage, through a real server and a real call.

The cases are the rules of https://www.w3.org/TR/baggage/, section 3.
"""

from __future__ import annotations

import pytest

TOKEN = "!#$%&'*+-.^_`|~09AZaz"
# baggage-octets; % is one of them, and begins an encoded byte.
OCTETS = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '",;\\%')

pytestmark = pytest.mark.conformance("W3C Baggage")


@pytest.fixture
def ask(served):
    return lambda *values: served.ask(*(("baggage", value) for value in values))


def entries(number, value="v"):
    return ",".join(f"k{i}={value}" for i in range(number))


# The headers, what the application sees, and what a call carries on.
READ = {
    "one entry": (["user=42"], {"user": "42"}, "user=42"),
    "two entries": (["a=1,b=2"], {"a": "1", "b": "2"}, "a=1,b=2"),
    "two headers": (["a=1", "b=2"], {"a": "1", "b": "2"}, "a=1,b=2"),
    "space around everything": (
        [" a \t= \t1 , b = 2 "],
        {"a": "1", "b": "2"},
        "a=1,b=2",
    ),
    "3.2.1.2 an empty value": (["a="], {"a": ""}, "a="),
    "= in a value": (["a=b=c"], {"a": "b=c"}, "a=b=c"),
    "all octets": ([f"a={OCTETS}"], {"a": OCTETS}, f"a={OCTETS}"),
    "a name with all that is allowed": ([f"{TOKEN}=1"], {TOKEN: "1"}, f"{TOKEN}=1"),
    "names have a case": (["A=1,a=2"], {"A": "1", "a": "2"}, "A=1,a=2"),
    "% in a name stays": (["a%20b=1"], {"a%20b": "1"}, "a%20b=1"),
    "an encoded space": (["a=b%20c"], {"a": "b c"}, "a=b%20c"),
    "an encoded comma": (["a=b%2Cc"], {"a": "b,c"}, "a=b%2Cc"),
    "an encoded semicolon": (["a=b%3Bc"], {"a": "b;c"}, "a=b%3Bc"),
    "an encoded percent": (["a=%2520"], {"a": "%20"}, "a=%2520"),
    "encoded in lower case": (["a=b%2cc"], {"a": "b,c"}, "a=b%2Cc"),
    "encoded letters": (["a=%C3%BC"], {"a": "ü"}, "a=%C3%BC"),
    "an encoded sign of four bytes": (
        ["a=%F0%9F%98%80"],
        {"a": "😀"},
        "a=%F0%9F%98%80",
    ),
    "an encoded line break": (["a=b%0D%0Ac"], {"a": "b\r\nc"}, "a=b%0D%0Ac"),
    "+ is no space": (["a=b+c"], {"a": "b+c"}, "a=b+c"),
    "encoded without need": (["a=%41"], {"a": "A"}, "a=A"),
    "3.3 bytes that are no text": (["a=%FF"], {"a": "\ufffd"}, "a=%EF%BF%BD"),
    "a broken encoding": (["a=%zz"], {"a": "%zz"}, "a=%25zz"),
    "a property": (["a=1;p"], {"a": "1"}, "a=1;p"),
    "a property with a value": (["a=1;p=2"], {"a": "1"}, "a=1;p=2"),
    "several properties": (["a=1;p=2;q;r=3"], {"a": "1"}, "a=1;p=2;q;r=3"),
    "a property with an encoded value": (["a=1;p=x%20y"], {"a": "1"}, "a=1;p=x%20y"),
    "a property with an empty value": (["a=1;p="], {"a": "1"}, "a=1;p="),
    "space around properties": (
        ["a=1 ; p = 2 ;\tq"],
        {"a": "1"},
        "a=1;p=2;q",
    ),
    "properties of one of two": (["a=1;p,b=2"], {"a": "1", "b": "2"}, "a=1;p,b=2"),
    "a name twice": (["a=1,a=2"], {"a": "2"}, "a=2"),
    "64 entries": (
        [entries(64)],
        {f"k{i}": "v" for i in range(64)},
        entries(64),
    ),
    "180 entries": (
        [entries(180)],
        {f"k{i}": "v" for i in range(180)},
        entries(180),
    ),
    "a value of 4096 characters": (
        [f"a={'v' * 4096}"],
        {"a": "v" * 4096},
        f"a={'v' * 4096}",
    ),
    "8192 bytes": (
        [f"a={'v' * 4093}", f"b={'w' * 4094}"],
        {"a": "v" * 4093, "b": "w" * 4094},
        f"a={'v' * 4093},b={'w' * 4094}",
    ),
}

# Entries that can't be read.
LEFT_OUT = {
    "no =": "a",
    "an empty name": "=1",
    "a space inside of a name": "a b=1",
    "a quote in a name": 'a"b=1',
    "a bracket in a name": "a(b=1",
    "a colon in a name": "a:b=1",
    "a slash in a name": "a/b=1",
    "a letter beyond ASCII in a name": "ü=1",
    "a space inside of a value": "a=b c",
    "a quote in a value": 'a="b"',
    "a backslash in a value": "a=b\\c",
    "a letter beyond ASCII in a value": "a=ü",
    "a tab inside of a value": "a=b\tc",
    "an empty property": "a=1;",
    "an empty property before another": "a=1;;p",
    "a property without a name": "a=1;=2",
    "a property with a space inside": "a=1;p q",
    "a property with a bad value": 'a=1;p="2"',
    "empty": "",
    "a space": " ",
}


@pytest.mark.parametrize(("headers", "seen", "sent"), READ.values(), ids=READ)
def test_what_can_be_read_is_seen_and_passed_on(ask, headers, seen, sent):
    """The application sees decoded values, the next service the encoded ones."""
    answer = ask(*headers)

    assert answer.baggage == seen
    assert answer.header("baggage") == sent


@pytest.mark.parametrize("entry", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_can_not_be_read_is_left_out(ask, entry):
    """An entry that breaks the grammar takes no other one with it."""
    alone, amid = ask(entry), ask(f"x=1,{entry},y=2")

    assert (alone.baggage, alone.header("baggage")) == ({}, None)
    assert (amid.baggage, amid.header("baggage")) == ({"x": "1", "y": "2"}, "x=1,y=2")


def test_bytes_that_are_no_text_are_left_out(ask):
    """A value that isn't even UTF-8 breaks nothing."""
    assert ask(b"a=\xff\xfe,b=2").baggage == {"b": "2"}


@pytest.mark.parametrize("name", ["baggage", "Baggage", "BAGGAGE"])
def test_its_name_has_no_case(served, name):
    """3.2: the header is found in any case."""
    assert served.ask((name, "a=1")).baggage == {"a": "1"}


def test_it_needs_no_trace(served):
    """Baggage goes on with and without a caller's trace."""
    parent = ("traceparent", f"00-{'a' * 32}-{'b' * 16}-00")

    for headers in ([("baggage", "a=1")], [parent, ("baggage", "a=1")]):
        assert served.ask(*headers).header("baggage") == "a=1"


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ([entries(100), entries(181).split("k99=v,")[1]], entries(180)),
        ([f"a={'v' * 4093}", f"b={'w' * 4095}"], f"a={'v' * 4093}"),
        ([f"a={'v' * 8000}", f"b={'w' * 8000}", "c=1"], f"a={'v' * 8000},c=1"),
    ],
    ids=["181 entries", "8193 bytes", "the next small one fits"],
)
def test_what_is_too_much_is_left_out(ask, headers, kept):
    """3.3.2: whole entries go until both limits hold, and the rest goes on."""
    answer = ask(*headers)

    assert answer.header("baggage") == kept
    assert len(answer.baggage) == kept.count("=")
