"""Who made a record, and when, is looked at anew for each one, also without a call."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from otel_aiohttp_logs.record.twins import make_record, native

pytestmark = pytest.mark.skipif(native is None, reason="nothing is compiled")

ARGUMENTS = ("shop", 20, "/srv/shop.py", 7, "order %s", (1,), None, "f", None)
WHO = ("thread", "threadName", "process", "processName")


def who(record):
    return tuple(getattr(record, name) for name in WHO)


def pair():
    """Return who made a record of ours and one of logging's, which shall be equal."""
    return who(make_record(*ARGUMENTS)), who(logging.LogRecord(*ARGUMENTS))


@contextmanager
def in_place_of(where, name, other):
    before = vars(where)[name]
    setattr(where, name, other)
    try:
        yield
    finally:
        setattr(where, name, before)


def in_thread(kind, **kwargs):
    found = []
    thread = kind(target=lambda: found.append(pair()), **kwargs)
    thread.start()
    thread.join()
    return found[0]


def test_threads_in_turn():
    """Each thread has its own name and number, whichever was the last one to log."""
    main = pair()
    first = in_thread(threading.Thread, name="first")
    again = pair()
    second = in_thread(threading.Thread, name="second")

    for ours, theirs in (main, first, again, second):
        assert ours == theirs
    assert [found[0][1] for found in (first, second)] == ["first", "second"]
    assert main == again


def test_a_class_of_threads_with_names_of_its_own():
    """A thread's class may say what the thread's name is."""

    class Named(threading.Thread):
        @property
        def name(self):
            return "of its own"

        @name.setter
        def name(self, name):
            pass

    ours, theirs = in_thread(Named)

    assert ours == theirs
    assert ours[1] == "of its own"


def test_a_thread_that_threading_does_not_know():
    """A thread that was started by other means has the name that it's given then."""
    import _thread

    found, done = [], threading.Event()

    def run():
        found.append(who(make_record(*ARGUMENTS)))
        found.append(who(logging.LogRecord(*ARGUMENTS)))
        done.set()

    _thread.start_new_thread(run, ())

    assert done.wait(10)
    assert found[0] == found[1]
    assert found[0][1].startswith("Dummy")


def test_functions_in_the_place_of_pythons():
    """What somebody put in the place of Python's functions is asked."""
    current = threading.current_thread()

    class Stranger:
        name = "a stranger"

    with in_place_of(threading, "current_thread", Stranger):
        ours, theirs = pair()
        # Else logging would make a thread of that number.
        with in_place_of(threading, "get_ident", lambda: 5):
            numbered = pair()
    with in_place_of(os, "getpid", lambda: 7):
        forked = pair()

    assert ours == theirs
    assert ours[1] == "a stranger"
    assert numbered[0] == numbered[1]
    assert numbered[0][0] == 5
    assert forked[0] == forked[1]
    assert forked[0][2] == 7
    with in_place_of(threading.Thread, "name", "all of them"):
        ours, theirs = pair()
    assert ours == theirs
    assert ours[1] == "all of them"
    assert pair()[0][:2] == (threading.get_ident(), current.name)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_has_its_own_number():
    """A process that was forked off says its own number, and the old one still does."""
    before = make_record(*ARGUMENTS).process
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"%d" % make_record(*ARGUMENTS).process)
        os._exit(0)
    os.waitpid(child, 0)
    said = int(os.read(read, 100))
    os.close(read)
    os.close(write)

    assert said == child
    assert make_record(*ARGUMENTS).process == before == os.getpid()


def test_the_time_is_that_of_the_clock():
    """It is the clock's time, between one look at that and the next."""
    for _ in range(1000):
        before, record, after = time.time(), make_record(*ARGUMENTS), time.time()
        assert before <= record.created <= after


def test_nothing_is_left_behind():
    """Records of threads that come and go leave no reference to their names."""
    name = "a thread's name that is as long as it's rare"
    thread = threading.Thread(target=lambda: make_record(*ARGUMENTS), name=name)
    thread.start()
    thread.join()
    del thread
    make_record(*ARGUMENTS)

    assert (
        sys.getrefcount(name) <= sys.getrefcount("another that is as long and rare") + 1
    )
