"""A copy that is made in C is the one that Python makes, and takes as much room."""

from __future__ import annotations

import datetime as dt
import logging
import sys
import uuid
from decimal import Decimal

import pytest
from anything import Colour, Grudge, Point, values
from growth import least_growth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from output.twins import typed

from otel_aiohttp_logs.record import safe
from otel_aiohttp_logs.record.fields import extra_fields
from otel_aiohttp_logs.record.forms import form_number
from otel_aiohttp_logs.record.twins import make_record, native

pytestmark = pytest.mark.skipif(native is None, reason="nothing is compiled")

often = settings(
    max_examples=300,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
COMMON = [
    {"id": 17, "vip": True, "left": None, "price": 2.5, "name": "ä"},
    ["new", 1, ("a", {"b": [b"c"]})],
    {frozenset(), 1},
    uuid.NAMESPACE_DNS,
    dt.datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001 - a common mistake
    dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc),
    dt.date(2026, 1, 2),
    Decimal("1.50"),
    Colour.RED,
    ValueError("no"),
]


def small(size: int, items: int, fields: int) -> safe.Room:
    room = safe.Room()
    room.size, room.items, room.fields = size, items, fields
    return room


@given(value=values)
@often
def test_any_value(value):
    """Whatever it is, both make the same of it."""
    assert typed(native.plain(value)) == typed(safe.plain(value))


@given(
    value=values,
    size=st.integers(0, 3000),
    items=st.integers(0, 5),
    fields=st.integers(0, 5),
)
@often
def test_any_room(value, size, items, fields):
    """So do they where there's little room."""
    expected = safe.plain(value, small(size, items, fields))

    assert typed(native.plain(value, size, items, fields)) == typed(expected)


ROOMS = [
    *((["abc", b"de", "ä", ("f", b"gh")], size, 9, 9) for size in range(12)),
    *(([[1, 2], (3,), {4}, 5, "a"], 9, items, 9) for items in range(12)),
    *(({"a": {"b": 1, "c": {"d": "e"}}, "f": {}}, 9, 9, fields) for fields in range(9)),
    *(({"k" * size: {"ü" * 40: {"l" * 20: 1}}}, 999, 9, 9) for size in range(20, 40)),
    *(({"k" * size: {"l": "m"}}, 999, 9, 9) for size in range(100, 130)),
]


@pytest.mark.parametrize("case", ROOMS, ids=repr)
def test_the_last_of_the_room(case):
    """What just fits, and what just doesn't, is the same in both."""
    value, *room = case

    assert typed(native.plain(value, *room)) == typed(safe.plain(value, small(*room)))


@given(extra=st.dictionaries(st.sampled_from("abcdefg"), values, max_size=7))
@often
def test_values_share_the_room(extra):
    """The values of one record share its room, whoever copies which."""
    record = make_record("twins", 20, "/a/b.py", 7, "text", (), None)
    vars(record).update(extra, many=list(range(990)), last=[1, 2, 3])

    words = native.said(record)

    if words is not None:
        assert typed(words.fields) == typed(extra_fields(record))


@pytest.mark.parametrize("value", COMMON, ids=lambda value: type(value).__name__)
def test_the_common_is_compiled(value):
    """A common value is copied in C, and so is a record that has it."""
    record = make_record("twins", 20, "/a/b.py", 7, "text", (), None)
    record.value = value

    assert native.said(record).fields == {"value": safe.plain(value)}
    assert type(value) in (dict, list, set) or form_number(type(value)) > 0


def test_one_odd_value_costs_itself_only():
    """A record isn't left to Python because of one value that is."""
    record = make_record("twins", 20, "/a/b.py", 7, "text", (), None)
    vars(record).update(odd=Grudge(), big=2**70, point=Point(1, [Grudge()]), last="a")

    assert native.said(record).fields == {
        "odd": "<unprintable Grudge>",
        "big": str(2**70),
        "point": [1, ["<unprintable Grudge>"]],
        "last": "a",
    }


def test_a_copy_shares_nothing():
    """What is changed afterwards is not changed in the copy."""
    inner = {"a": [1]}
    given_value = {"b": inner, "c": (inner,)}

    copied = native.plain(given_value)
    inner["a"].append(2)
    inner["d"] = 3

    assert copied == {"b": {"a": [1]}, "c": [{"a": [1]}]}
    assert given_value["b"] is inner


class Meddler:
    """Changes what it is in while it is copied, and logs."""

    def __init__(self) -> None:
        self.inside: list = []
        self.record = make_record("twins", 20, "/a/b.py", 7, "text", (), None)

    def __str__(self) -> str:
        for holder in self.inside:
            holder.clear()
        fields = vars(self.record)
        for name in [name for name in fields if name.startswith("x")]:
            del fields[name]
        fields[f"y{len(fields)}"] = self
        logging.getLogger("twins").warning("again", extra={"meddler": [Grudge()]})
        return "meddler"


def test_application_code_that_meddles():
    """Code of the application's that runs meanwhile may change all that there is."""
    for _ in range(20):
        meddler = Meddler()
        items = [object(), meddler, object(), ["a"]]
        pairs = {"a": object(), "b": meddler, "c": [object()]}
        meddler.inside = [items, pairs]
        fields = {f"x{number}": [meddler, str(number)] for number in range(50)}
        vars(meddler.record).update(fields, items=items, pairs=pairs)

        assert native.plain(items)[1] == "meddler"
        assert native.plain({"pairs": pairs, "items": items}) is not None
        native.said(meddler.record)


class Interrupting:
    def __str__(self) -> str:
        raise KeyboardInterrupt


@pytest.mark.parametrize("inside", [lambda it: it, lambda it: {"a": [it]}])
def test_an_interrupt_goes_through(inside):
    """What is no ``Exception`` is the application's, as in Python."""
    for copy in (native.plain, safe.plain):
        with pytest.raises(KeyboardInterrupt):
            copy(inside(Interrupting()))


def test_nothing_is_left_behind():
    """Copies hold on to no memory and to no value once they are gone."""
    odd = [*COMMON, Grudge(), Point(1, 2), 2**70, "\ud800", {1: 2}, {"k" * 200: 1}]

    def copies(times: int) -> None:
        for _ in range(times):
            native.plain(odd)
            native.plain({"odd": odd, "twice": [odd, odd]})
            native.plain(odd, 40, 4, 2)
            native.plain(list(range(2000)))

    copies(20)
    before = [sys.getrefcount(value) for value in odd]

    assert least_growth(lambda: copies(50)) < 4_000
    assert [sys.getrefcount(value) for value in odd] == before


def test_wrong_calls():
    """A call that fits nothing is refused."""
    for wrong in ((), (1, 2), ([], "a", 1, 1), ([], 1, 1, 2**80)):
        with pytest.raises((TypeError, OverflowError)):
            native.plain(*wrong)
