"""Strategies: whatever an application may log, the common and the hostile."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections import ChainMap, Counter, OrderedDict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from hypothesis import strategies as st

ODD = '\x00\x1b\n\r\t"\\\x7f\x80\x9f\xa0\u2028\u202e\u2066\u2069\u206a\ud800é😀'


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "changed"


class Number(int):
    pass


class Part(float):
    def __float__(self) -> float:
        return 0.5


class Grudge:
    def __str__(self) -> str:
        raise RuntimeError


class SaysText:
    def __str__(self) -> str:
        return Text("a \ud800 text of its own")


class Refused(Exception):  # noqa: N818 - what it does
    def __str__(self) -> str:
        return "no\ud800" * 9


class Moment(dt.datetime):
    def isoformat(self, *_, **__) -> str:
        return Text("a moment")


class Colour(enum.Enum):
    RED = 1


class Kind(str, enum.Enum):
    TEA = "tea"


class Size(enum.IntEnum):
    LARGE = 3


class Point(NamedTuple):
    x: int
    y: object


class Unhashable(type):
    def __hash__(cls) -> int:
        raise TypeError


class OfUnhashable(metaclass=Unhashable):
    pass


class Unnamed(type):
    @property
    def __name__(cls) -> str:
        raise RuntimeError


class UnnamedError(Exception, metaclass=Unnamed):
    pass


def _long_chain() -> list:
    chain: list = []
    for _ in range(12):
        chain = [chain, {"a": chain}]
    return chain


def _cycle() -> dict:
    cycle: dict = {"a": [1]}
    cycle["a"].append(cycle)
    return cycle


texts = st.text(st.characters() | st.sampled_from(ODD), max_size=30)
long_texts = st.integers(1000, 1100).map(lambda size: "ä" * size)
zones = st.sampled_from(
    (None, dt.timezone.utc, dt.timezone(dt.timedelta(hours=2)), dt.timezone.min)
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((2**63 - 1, -(2**63), -(2**63) + 1, 2**64, 2**2000))
    | st.floats()
    | texts
    | long_texts
    | st.binary(max_size=9)
)
common = (
    st.uuids()
    | st.datetimes(timezones=zones)
    | st.datetimes()
    | st.dates()
    | st.times()
    | st.decimals()
    | st.fractions()
    | texts.map(Text)
    | st.integers().map(Number)
    | st.floats().map(Part)
    | texts.map(ValueError)
    | st.sampled_from(
        (
            *(Colour.RED, Kind.TEA, Size.LARGE, PurePosixPath("/a/b"), dt.timedelta(1)),
            *(
                OSError(2, "no such file"),
                Decimal("1.50"),
                Fraction(1, 3),
                uuid.NAMESPACE_DNS,
            ),
        )
    )
)
hostile = st.sampled_from(
    (
        *(Grudge(), SaysText(), Refused(), Moment(2026, 1, 2), OfUnhashable()),
        *(
            UnnamedError("a"),
            _long_chain(),
            _cycle(),
            Kind,
            object,
            {1: 2, "1": 3, None: 4},
        ),
        *(
            "x" * 70_000,
            b"x" * 70_000,
            bytearray(b"a"),
            list(range(1200)),
            {"k" * 120: {}},
        ),
        *(
            {"k" * 60: {"l" * 60: {"m": 1}}},
            {"\ud800": 1},
            {Text("a"): 1},
            {"ü" * 70: 1},
        ),
    )
)


def _containers(inner):
    dicts = st.dictionaries(texts, inner, max_size=3)
    lists = st.lists(inner, max_size=3)
    return (
        lists
        | dicts
        | lists.map(tuple)
        | lists.map(deque)
        | dicts.map(OrderedDict)
        | dicts.map(MappingProxyType)
        | dicts.map(lambda given: ChainMap(given, {"b": 1}))
        | st.builds(Point, st.integers(0, 3), inner)
        | st.sets(scalars, max_size=3)
        | st.frozensets(texts, max_size=3)
        | texts.map(Counter)
    )


values = st.recursive(scalars | common | hostile, _containers, max_leaves=6)
"""Any value; a new one of its own each time, apart from the hostile ones."""
