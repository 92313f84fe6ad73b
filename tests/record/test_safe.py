from __future__ import annotations

import copy
import enum
import uuid
from collections import OrderedDict, UserDict, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

import pytest
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from otel_aiohttp_logs.record.safe import MAX_TEXT, plain

PLAIN = (str, bool, int, float, bytes, type(None), list, dict)


def assert_exact(value):
    """Everything in *value* is of an exact built-in type, and encodes."""
    assert type(value) in PLAIN
    if type(value) is str:
        value.encode()
    for item in value if type(value) is list else ():
        assert_exact(item)
    for key, item in value.items() if type(value) is dict else ():
        assert type(key) is str
        assert_exact(item)


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "changed"


class Number(int):
    def __repr__(self):
        return "changed"


class Part(float):
    def __repr__(self):
        return "changed"


class Bytes(bytes):
    def __repr__(self):
        return "changed"


class Colour(enum.Enum):
    RED = 1


class Kind(str, enum.Enum):
    TEA = "tea"


@dataclass
class Order:
    item: str
    amount: int


class Named:
    def __str__(self):
        return "by its name"


class Shown:
    def __repr__(self):
        return "<by its repr>"


class Point(NamedTuple):
    x: int
    y: int


class Settings(Mapping):
    def __init__(self, **values):
        self.values_ = values

    def __getitem__(self, key):
        return self.values_[key]

    def __iter__(self):
        return iter(self.values_)

    def __len__(self):
        return len(self.values_)


@pytest.mark.parametrize(
    "value",
    ["", "grün", True, False, 0, -(2**63) + 1, 2**63 - 1, 0.5, None, b"\xff", [], {}],
)
def test_plain_values_are_kept(value):
    """A plain value is itself, of the same type, also inside of containers."""
    assert plain(value) == value
    assert type(plain(value)) is type(value)
    assert plain({"k": [value]}) == {"k": [value]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Text("a"), "a"),
        (Number(7), 7),
        (Part(0.5), 0.5),
        (Bytes(b"x"), b"x"),
        (bytearray(b"y"), b"y"),
        (HTTPStatus.NOT_FOUND, 404),
        (Kind.TEA, "tea"),
        (Colour.RED, "Colour.RED"),
        ((1, (2,)), [1, [2]]),
        (Point(1, 2), [1, 2]),
        ({3}, [3]),
        (frozenset({"z"}), ["z"]),
        (deque([1, 2]), [1, 2]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (defaultdict(list, a=1), {"a": 1}),
        (UserDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Settings(a=1, b={2}), {"a": 1, "b": [2]}),
        (CIMultiDict([("A", "1"), ("A", "2")]), {"A": "1", "A~2": "2"}),
        ({1: "a", "1": "b", None: "c"}, {"1": "a", "1~2": "b", "None": "c"}),
        (
            datetime(2024, 2, 29, 12, 30, tzinfo=timezone.utc),
            "2024-02-29T12:30:00+00:00",
        ),
        (date(2024, 2, 29), "2024-02-29"),
        (time(12, 30), "12:30:00"),
        (timedelta(seconds=90), "0:01:30"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (PurePosixPath("/etc/x"), "/etc/x"),
        (Decimal("1.50"), "1.50"),
        (Fraction(1, 3), "1/3"),
        (ip_address("::1"), "::1"),
        (URL("http://x/?a=1"), "http://x/?a=1"),
        (Order("tea", 3), "Order(item='tea', amount=3)"),
        (ValueError("wrong"), "ValueError: wrong"),
        (KeyError("k"), "KeyError: 'k'"),
        (Named(), "by its name"),
        (Shown(), "<by its repr>"),
        (int, "<class 'int'>"),
        (2**63, "9223372036854775808"),
        (-(2**64), "-18446744073709551616"),
        (10**5000, "0xc78820040d9443cf…[16610 bits]"),
        ("a\ud800b", "a\\ud800b"),
        ({"\udcff": "é\udcff"}, {"\\udcff": "é\\udcff"}),
    ],
    # pytest's own ids fail on numbers of many digits.
    ids=lambda value: type(value).__name__,
)
def test_other_values_become_plain(value, expected):
    """What isn't plain becomes it, in the form that says most in a line."""
    result = plain(value)

    assert result == expected
    assert_exact(result)


async def test_things_that_are_mappings_are_shown(aiohttp_client):
    """Requests and applications of aiohttp are mappings, shown by their repr."""

    async def show(request):
        return web.json_response([plain(request), plain(request.app)])

    app = web.Application()
    app.router.add_get("/orders/{item}", show)
    client = await aiohttp_client(app)
    shown = [await (await client.get(f"/orders/{i}")).json() for i in ("tea", "jam")]

    assert [request for request, _ in shown] == [
        "<Request GET /orders/tea >",
        "<Request GET /orders/jam >",
    ]
    assert shown[0][1] == repr(app)


def failing(name, error):
    def fail(_):
        raise error

    return type("Failing", (), {name: fail})()


def failing_kind(base, **methods):
    return type("Failing", (base,), methods)()


# By name: pytest can't show them either.
FAILING = {
    "repr": failing("__repr__", ValueError("no")),
    "str": failing("__str__", RecursionError()),
    "items": failing_kind(dict, items=lambda _: 1 / 0),
    "iter": failing_kind(list, __iter__=lambda _: 1 / 0),
    "no text": failing_kind(object, __repr__=lambda _: 3),
    "recursive": failing_kind(object, __repr__=lambda self: f"{self}"),
}


@pytest.mark.parametrize("name", FAILING)
def test_values_that_fail(name):
    """A value whose own code raises is named, and its neighbours are kept."""
    value, shown = FAILING[name], "<unprintable Failing>"

    assert plain(value) == shown
    assert plain([1, value, {"k": value, "l": 2}]) == [1, shown, {"k": shown, "l": 2}]


def test_a_class_that_fails():
    """A value that lies about its class is shown by its repr all the same."""
    value = failing_kind(object, __class__=property(lambda _: 1 / 0))
    shown = plain([value, 1])

    assert shown[0].startswith("<test_safe.Failing object at 0x")
    assert shown[1] == 1


def test_exceptions_that_fail():
    """An exception whose text can't be had still has its type."""
    error = type("Odd", (Exception,), {"__str__": lambda _: 1 / 0})()

    assert plain(error) == "Odd: <unprintable Odd>"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_passes(stop):
    """What ends the process isn't caught."""
    with pytest.raises(stop):
        plain([failing("__repr__", stop())])


@pytest.mark.parametrize("kind", [list, dict])
def test_cycles(kind):
    """A cycle ends where it closes; the same value twice is no cycle."""
    inner: list[object] = [1]
    value = {"a": inner, "b": inner}
    outer = {"v": value} if kind is dict else [value]
    value["c"] = outer

    copied = {"a": [1], "b": [1], "c": "…[cycle]"}
    assert plain(outer) == ({"v": copied} if kind is dict else [copied])


def test_deep_nesting():
    """Eight levels are kept, and what's below says that it's missing."""
    value: object = "bottom"
    for _ in range(8):
        value = [value]

    assert str(plain(value)) == "[" * 8 + "'bottom'" + "]" * 8
    assert str(plain([value])) == "[" * 8 + "'…[too deep]'" + "]" * 8


@pytest.mark.parametrize(
    ("value", "kept", "mark"),
    [
        ("x" * (MAX_TEXT + 5), "x" * MAX_TEXT, "…[5 bytes cut]"),
        ("x" * MAX_TEXT, "x" * MAX_TEXT, ""),
        ("xé" * MAX_TEXT, "xé" * (MAX_TEXT // 3) + "x", "…[131072 bytes cut]"),
        ("x" + "é" * MAX_TEXT, "x" + "é" * (MAX_TEXT // 2 - 1), "…[65537 bytes cut]"),
        (b"\xff" * (MAX_TEXT + 7), b"\xff" * MAX_TEXT, b"...[7 bytes cut]"),
    ],
)
def test_long_values(value, kept, mark):
    """Of a text 64 KiB are kept, at the border of a character, and a mark."""
    assert plain(value) == kept + mark


@pytest.mark.parametrize("count", [1001, 5000])
def test_long_lists(count):
    """Of a list a thousand items are kept, and a last one says how many are missing."""
    copied = plain(range_list := list(range(count)))

    assert copied[:-1] == range_list[:1000]
    assert copied[-1] == f"…[{count - 1000} more]"
    assert plain(range_list[:1000]) == range_list[:1000]


@pytest.mark.parametrize("count", [501, 5000])
def test_large_mappings(count):
    """Of a mapping 500 keys are kept, those of inner mappings counted."""
    copied = plain({f"k{i}": i for i in range(count)})
    nested = plain([{f"k{j}": j for j in range(100)} for i in range(count // 100 + 1)])

    assert len(copied) == 501
    assert copied["…"] == f"[{count - 500} more]"
    assert sum(len(item) for item in nested[:5]) == 500
    assert nested[5] == {"…": "[100 more]"}


@pytest.mark.parametrize(("lists", "items"), [(20, 100), (200, 10)])
def test_many_lists(lists, items):
    """The items of all lists of a value count together."""
    copied = plain([list(range(items)) for _ in range(lists)])
    kept = [[i for i in inner if i != "…"] for inner in copied if type(inner) is list]
    numbers = [i for inner in kept for i in inner if type(i) is int]

    assert len(numbers) + len(kept) == 1000
    assert " more]" in str(copied[-1])


def test_mappings_in_mappings():
    """The keys of a mapping and of those in it count together."""
    copied = plain({f"m{i}": dict.fromkeys("abcdefghij", 1) for i in range(100)})
    real = [key for key in copied if key != "…"]
    inner = [key for key in real for name in copied[key] if name != "…"]

    assert len(real) + len(inner) == 500
    assert copied["…"] == f"[{100 - len(real)} more]"


def test_total():
    """All texts of a value together are bounded too."""
    copied = plain(["x" * 60_000 for _ in range(100)])

    assert len(copied) == 100
    assert sum(map(len, copied)) < 600_000
    assert copied[-1] == "…[60000 bytes cut]"


@pytest.mark.parametrize("character", ["n", "é"])
def test_long_names(character):
    """Names over 128 bytes are cut and kept apart; nested ones count together."""
    long = character * 200
    copied = plain({long: 1, long + "x": 2, character * 50: {"b" * 100: {"c": 3}}})
    first, second, outer = copied

    assert len(first.encode()) <= len(second.encode()) <= 128
    assert first.endswith("…")
    assert second == first + "~2"
    (inner,) = copied[outer]
    assert len(outer.encode()) + 1 + len(inner.encode()) <= 128
    assert copied[outer][inner] == "{'c': 3}"


def test_nothing_is_changed_or_shared():
    """The original stays as it was, and a later change of it isn't seen."""
    value = {"l": [1, {"k": {2}}], "d": defaultdict(list)}
    before = copy.deepcopy(value)
    copied = plain(value)

    assert value == before
    value["l"][1]["k"].add(3)
    assert copied == {"l": [1, {"k": [2]}], "d": {}}


def test_iterators_are_not_used_up():
    """An iterator is shown and not consumed."""
    numbers = iter([1, 2])

    assert plain(numbers).startswith("<list_iterator object")
    assert list(numbers) == [1, 2]
