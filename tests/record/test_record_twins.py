"""A record that is made in C is the one that logging would have made."""

from __future__ import annotations

import asyncio
import copy
import logging
import multiprocessing
import pickle
import threading
import types
from contextlib import contextmanager

import pytest

from otel_aiohttp_logs.record.access import EventRecord
from otel_aiohttp_logs.record.stamp import StampedRecord
from otel_aiohttp_logs.record.twins import make_event, make_record, native

pytestmark = pytest.mark.skipif(native is None, reason="nothing is compiled")

CLOCK = ("created", "msecs", "relativeCreated")
PATH = "/srv/shop/orders.py"


class Text(str):
    __slots__ = ()


class Broken(dict):
    def __bool__(self) -> bool:
        raise RuntimeError


ARGUMENTS = [
    ("shop", 20, PATH, 7, "order %s", (1,), None, "handler", None),
    ("shop", 20, PATH, 7, "order %s", (1,), None),
    ("shop", 20, PATH, 7, "order %s", (1,), None, "handler"),
    ("", 0, "", 0, "", (), None, None, "Stack (most recent call last):\n..."),
    ("shop.orders", 25, "orders.tar.gz", 7, {"not": "text"}, None, None, None, None),
    ("shop", 99, "/a/b/", -1, 5, (), (None, None, None), "f", None),
    ("shop", "INFO", ".py", None, "%(a)s", ({"a": 1},), None, "f", None),
    ("shop", "no level", "ä/ö.py", 7, "%s", ({},), None, "f", None),
    ("shop", 20, None, 7, "%s", ([1],), None, "f", None),
    ("shop", True, b"bytes.py", 7, "%s", (Text("a"),), None, "f", None),
    ("shop", 2**80, Text("text.py"), 7, "%s", [1, 2], None, "f", None),
    ("shop", 20, PATH, 7, "%s", (types.MappingProxyType({"a": 1}),), None, "f", None),
    ("shop", 20, PATH, 7, "%s", ({"a": 1}, 2), None, "f", None),
    (None, None, "", 0, "", (), None, None),
    (5, 20, 5, 5, 5, 5, 5, 5, 5),
]


def assert_same(ours, theirs):
    ours, theirs = vars(ours), vars(theirs)
    assert list(ours) == list(theirs)
    for key in theirs:
        if key in CLOCK:
            assert type(ours[key]) is float
            assert ours[key] == pytest.approx(theirs[key], abs=5000)
        else:
            assert ours[key] == theirs[key]
            assert type(ours[key]) is type(theirs[key])
    whole = ours["created"] * 1000
    assert whole % 1000 == pytest.approx(ours["msecs"], abs=1.001)


@contextmanager
def set_to(where, **values):
    before = {name: getattr(where, name) for name in values}
    vars(where).update(values)
    try:
        yield
    finally:
        vars(where).update(before)


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda given: repr(given[:5]))
def test_same_as_logging(arguments):
    """It has logging's attributes, in their order, with their values."""
    try:
        theirs = logging.LogRecord(*arguments)
    except Exception as error:  # what logging refuses is refused
        with pytest.raises(type(error)):
            make_record(*arguments)
        return

    record = make_record(*arguments)

    assert type(record) is StampedRecord
    assert_same(record, theirs)


def test_keywords():
    """Arguments by name are taken as logging takes them, unknown ones too."""
    given = {"func": "f", "sinfo": "stack", "unknown": 1}

    record = make_record("shop", 20, PATH, 7, "text", (), None, **given)

    assert_same(
        record, logging.LogRecord("shop", 20, PATH, 7, "text", (), None, **given)
    )


def test_an_error_of_the_arguments():
    """What raises in logging raises here."""
    for make in (make_record, logging.LogRecord):
        with pytest.raises(RuntimeError):
            make("shop", 20, PATH, 7, "%s", (Broken(a=1),), None)
        with pytest.raises(TypeError):
            make("shop", 20)


@pytest.mark.parametrize(
    "switch", ["logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"]
)
def test_switches_of_logging(switch):
    """What is switched off in ``logging`` isn't asked for."""
    if not hasattr(logging, switch):
        pytest.skip("a switch of later versions")
    with set_to(logging, **{switch: False}):
        assert_same(make_record(*ARGUMENTS[0]), logging.LogRecord(*ARGUMENTS[0]))


def test_names_of_threads_and_processes():
    """A thread and a process are called as they are called at that moment."""
    found = []

    def make():
        for name in ("first", "second"):
            threading.current_thread().name = name
            found.append((make_record(*ARGUMENTS[0]), logging.LogRecord(*ARGUMENTS[0])))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    process = multiprocessing.current_process()
    before = process.name
    try:
        process.name = "worker"
        make_pair = make_record(*ARGUMENTS[0]), logging.LogRecord(*ARGUMENTS[0])
    finally:
        process.name = before

    for ours, theirs in (*found, make_pair):
        assert_same(ours, theirs)
    assert [ours.threadName for ours, _ in found] == ["first", "second"]
    assert make_pair[0].processName == "worker"


async def test_names_of_tasks():
    """So is a task, where logging says its name."""
    asyncio.current_task().set_name("serving")

    assert_same(make_record(*ARGUMENTS[0]), logging.LogRecord(*ARGUMENTS[0]))


def test_names_of_levels():
    """A level that is named later has its name from then on."""
    assert make_record("a", 27, "", 0, "", (), None).levelname == "Level 27"
    logging.addLevelName(27, "TRADE")
    try:
        assert make_record("a", 27, "", 0, "", (), None).levelname == "TRADE"
    finally:
        del logging._levelToName[27], logging._nameToLevel["TRADE"]


def test_the_clock_that_is_there():
    """It asks the clock that logging asks, also one that somebody put in its place."""
    import time

    name = "time_ns" if type(logging._startTime) is int else "time"
    for at in (1_700_000_000, 1_700_000_000.9996, 1_700_000_000.0004, 1.5):
        moment = int(at * 1e9) + 999_999_900 if name == "time_ns" else float(at)
        with set_to(time, **{name: lambda moment=moment: moment}):
            ours, theirs = make_record(*ARGUMENTS[0]), logging.LogRecord(*ARGUMENTS[0])
        assert vars(ours) == vars(theirs)


def test_of_the_event():
    """A request's event is a record of its own class, and else the same."""
    record = make_event("aiohttp.access", 20, PATH, 0, "GET / 200", (), None)

    assert type(record) is EventRecord
    assert_same(
        record, logging.LogRecord("aiohttp.access", 20, PATH, 0, "GET / 200", (), None)
    )


def test_copies_and_pickles():
    """It can be copied, and pickled for a process that doesn't know its class."""
    record = make_record(*ARGUMENTS[0])
    record.item = [1]

    for other in (copy.copy(record), copy.deepcopy(record)):
        assert other.getMessage() == "order 1"
        assert other.item == [1]
    read = pickle.loads(pickle.dumps(record))
    assert vars(read)["item"] == [1]
    assert read.created == record.created


def test_records_share_nothing():
    """What is set on one record isn't on the next."""
    one, other = make_record(*ARGUMENTS[0]), make_record(*ARGUMENTS[0])
    one.item = 1
    del one.msecs

    assert not hasattr(other, "item")
    assert list(vars(make_record(*ARGUMENTS[0]))) == list(vars(other))
