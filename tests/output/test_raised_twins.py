"""A record with an exception or a stack is the same, compiled and in Python."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from anything import ODD, Grudge, Refused, Text, UnnamedError, texts
from growth import least_growth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from output.places import compare
from output.twins import Handlers

from otel_aiohttp_logs.record.twins import make_record, native

logging.getLogger("twins")  # else nobody has it, and a line is somebody else's
pytestmark = pytest.mark.skipif(native is None, reason="nothing is compiled")


def raised(error: BaseException, depth: int = 0):
    """Return what ``sys.exc_info()`` says where *error* is caught."""

    def fall(left: int) -> None:
        if left:
            fall(left - 1)
        raise error from ValueError(ODD)

    try:
        fall(depth)
    except BaseException:  # whatever it is
        return sys.exc_info()


class Angry(Exception):  # noqa: N818 - what it is
    def __str__(self) -> str:
        raise RuntimeError


infos = (
    st.builds(
        raised,
        st.sampled_from((KeyError, OSError, KeyboardInterrupt)).flatmap(texts.map),
        st.integers(0, 3),
    )
    | st.builds(raised, st.builds(Angry) | st.builds(Refused) | st.builds(UnnamedError))
    | st.sampled_from((None, False, True, (), 5, (None, None, None), (ValueError,)))
    | st.just((ValueError, ValueError("never raised"), None))
    | st.just((ValueError, None, None))
    | st.builds(ValueError, texts)
)
stacks = st.sampled_from((None, "", 5, Text("text"), "Stack:\n  a", "x" * 300_000))


@given(
    info=infos,
    text=st.none() | texts | st.sampled_from((5, "Traceback:\nValueError: no")),
    stack=stacks | texts,
    place=st.sampled_from(("request", "bound", "nowhere", "ended")),
)
@settings(
    max_examples=300,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_any_exception(info, text, stack, place):
    """Whatever stands where exceptions do, both make the same of it."""

    def make():
        record = make_record("twins", 40, "/a/b.py", 7, "no", (), info, "f", stack)
        record.exc_text = text
        return record

    compare(place, make, {"item": [1]}, {"stack_info": "bound"})


@pytest.mark.parametrize("missing", ["exc_info", "exc_text", "stack_info"])
def test_attributes_that_are_missing(missing):
    """A record that somebody took an attribute from is left to Python."""
    record = make_record("twins", 40, "/a/b.py", 7, "no", (), None)
    words = native.said(record)
    delattr(record, missing)

    if missing == "stack_info":
        assert native.said(record) is None
    else:
        assert native.json_line(record, words) is None


def test_the_ordinary_is_compiled():
    """A line with an exception and a stack is written by compiled code."""
    handlers = Handlers()
    info = raised(ValueError("no such order"), 2)
    record = make_record("twins", 40, "/a/b.py", 7, "no", (), info, "f", "Stack")

    with handlers.attached():
        line, called = handlers.watched(record)

    assert "_line" not in called
    shown = json.loads(line)
    assert shown["stack_info"] == "Stack"
    assert shown["exception"]["type"] == "ValueError"
    assert shown["exception"]["message"] == "no such order"
    assert shown["exception"]["stack"].endswith("\nValueError: no such order")


def test_nothing_is_left_behind():
    """Lines with exceptions hold on to no memory, and to no exception."""
    handlers = Handlers()
    errors = [ValueError("no"), Angry(), Refused()]
    found = [raised(error) for error in errors]

    def lines(times: int) -> None:
        for _ in range(times):
            for info in (*found, (None, None, None), 5):
                record = make_record("twins", 40, "", 7, "no", (), info, "f", "Stack")
                record.odd = Grudge()
                handlers.compiled(record)
        handlers.logs.clear()

    with handlers.attached():
        lines(20)
        before = [sys.getrefcount(error) for error in errors]
        assert least_growth(lambda: lines(20)) < 4_000
    assert [sys.getrefcount(error) for error in errors] == before
    assert logging.getLogger("twins").handlers == []
