"""A line that is made in C, flat and as JSON, is the one that Python makes."""

from __future__ import annotations

import contextvars
import datetime as dt
import io
import json
import logging
import sys
import time

import pytest
from anything import Grudge, Text, texts, values
from export.twins import COMPILED
from growth import least_growth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.context import get_current
from output.places import compare, go_to
from output.twins import Handlers

from otel_aiohttp_logs.export.weight import weigh_log
from otel_aiohttp_logs.record.twins import make_event, make_record, native
from otel_aiohttp_logs.scope.request import REQUEST

Waiting = native and native.Waiting
pytestmark = pytest.mark.skipif(native is None, reason="nothing is compiled")

often = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


reserved = st.sampled_from(
    ("trace_id", "request_id", "service.name", "service", "level", "otelTraceID", "")
)
names = st.sampled_from(("item", "warehouse", "größe")) | texts | reserved
# As bind() leaves them.
bound_names = st.sampled_from(("item", "größe", "user", "extra.level"))
extras = st.dictionaries(
    names.filter(lambda name: name not in vars(logging.makeLogRecord({}))),
    values,
    max_size=4,
).filter(lambda extra: not {"message", "asctime"} & extra.keys())
messages = st.sampled_from(
    (
        ("item %s of %r", ("tea", "jam")),
        ("%d items", ("none",)),
        ("%(a)s", ({"a": 1},)),
        ("100 %", ()),
        ("%s", (Grudge(),)),
        (5, ()),
        (Text("text"), ()),
    )
) | st.tuples(texts, st.just(()))
levels = st.sampled_from((20, 30, 0, -5, 7, 25, 55, 99)) | st.integers(0, 70)
LOGGERS = ("twins", "twins.ä", "otel_aiohttp_logs.export", "aiohttp.access")
for name in LOGGERS:
    logging.getLogger(name)  # else nobody has them, and a line is somebody else's
loggers = st.sampled_from((*LOGGERS, "twins.nobody's"))
places = st.sampled_from(
    ("nowhere", "request", "child", "ended", "bound", "foreign", "sending")
)


@given(
    place=places,
    name=loggers,
    level=levels,
    message=messages,
    extra=extras,
    bound=st.dictionaries(
        bound_names, st.integers(0, 3) | texts, min_size=1, max_size=2
    ),
)
@often
def test_any_record(place, name, level, message, extra, bound):
    """Whatever a record says, and wherever, both make the same of it."""
    msg, args = message

    def make():
        return make_record(name, level, "/a/b.py", 7, msg, args, None, "f", None)

    compare(place, make, extra, bound)


@pytest.mark.parametrize(
    "extra",
    [
        {"level": None},
        {"extra.level": 1, "level": 2},
        {"service": {"name": "a"}},
        {"scope": ["a"], "exception": dt.date(2026, 1, 2), "telemetry": "a"},
        {f"{'trace'}_id": f"{3 << 64 | 5:032x}"},
        {f"{'request'}_id": "another"},
    ],
    ids=repr,
)
def test_names_that_are_taken(extra):
    """A field gives way to one that was bound, to an id, and to the resource."""

    def make():
        return make_record("twins", 20, "/a/b.py", 7, "text", (), None)

    compare("bound", make, extra, {"extra.level": 0})


@given(extra=extras)
@often
def test_any_event(extra):
    """So it is with the events of requests."""

    def make():
        return make_event("aiohttp.access", 20, "/a/b.py", 0, "GET / 200", (), None)

    compare("request", make, extra, {})


@given(created=st.floats(0, 4e11) | st.integers(0, 2**31).map(lambda n: n + 0.9999995))
@often
def test_any_moment(created):
    """The moment is rounded in the same way, whichever it is."""

    def make():
        record = make_record("twins", 20, "/a/b.py", 7, "text", (), None)
        record.created = created
        return record

    compare("nowhere", make, {}, {})


def test_the_ordinary_is_compiled():
    """An ordinary line never gets to the Python functions."""

    def inside() -> None:
        go_to("bound", {"user": "ä"})
        handlers = Handlers()
        record = make_record(
            "twins", 20, "/a/b.py", 7, "item %s", (1,), None, "f", None
        )
        vars(record).update(item=1, price=1.5, name_of="tea", left=None, gone=True)

        with handlers.attached():
            words = native.said(record)
            line, called = handlers.watched(record)

        assert called == []
        assert words.message == "item 1"
        assert words.fields["price"] == 1.5
        assert json.loads(line)["user"] == "ä"
        assert native.json_line(record, words) == line.rstrip("\n")

    contextvars.copy_context().run(inside)


def test_without_an_outlet():
    """Lines that are exported nowhere are shown all the same, by compiled code."""
    handlers = Handlers()
    handlers.outlet.outlets = ()
    record = make_record("twins", 20, "/a/b.py", 7, "text", (), None)

    with handlers.attached():
        passed = handlers.outlet.handle(record)
        line, called = handlers.watched(record)

    assert passed is handlers.python(record)[0] is False
    assert json.loads(line)["message"] == "text"
    assert called == []


def test_an_outlet_that_fails(caplog):
    """What an outlet raises is counted and said, and is raised nowhere."""
    handlers = Handlers()

    def fail(*_) -> None:
        msg = "no room"
        raise RuntimeError(msg)

    handlers.outlet.outlets = (fail,)
    record = make_record("twins", 20, "/a/b.py", 7, "text", (), None)

    assert handlers.outlet.handle(record) is True
    assert handlers.outlet.failures == 1
    (said,) = caplog.records
    assert said.exc_info[1].args == ("no room",)


def test_a_handler_of_the_applications_own():
    """Where the application has a handler, nothing of ours goes to stdout."""
    handlers = Handlers()
    own = logging.getLogger("twins")

    def line():
        record = make_record("twins", 20, "/a/b.py", 7, "text", (), None)
        return handlers.compiled(record)[2]

    with handlers.attached():
        before = line()
        own.addHandler(logging.StreamHandler(io.StringIO()))
        during = line()
        own.handlers.clear()

    assert json.loads(before)["message"] == "text"
    assert during == ""


def test_filters_are_asked():
    """A filter that was put on a handler says what goes through."""
    handlers = Handlers()
    handlers.outlet.addFilter(lambda record: record.levelno > 20)

    for level in (20, 30):
        handlers.outlet.handle(make_record("twins", level, "", 7, "text", (), None))

    assert [log.severity_text for log in handlers.logs] == ["WARNING"]


def test_nothing_is_left_behind():
    """Lines hold on to no memory once they are gone, whatever they say."""
    handlers = Handlers()

    def lines(times: int) -> None:
        for number in range(times):
            for extra in ({"item": number}, {"odd": [Grudge()]}, {"x": "\ud800"}, {}):
                record = make_record(
                    "twins", 20, "/a/b.py", 7, "item %s", (number,), None
                )
                vars(record).update(extra)
                handlers.compiled(record)
        handlers.logs.clear()

    def inside() -> None:
        go_to("bound", {"user": 7})
        with handlers.attached():
            lines(50)
            assert least_growth(lambda: lines(50)) < 4_000
        scope = get_current()[REQUEST]
        assert sys.getrefcount(scope.known) < 10

    contextvars.copy_context().run(inside)


@given(
    level=st.sampled_from((10, 20, 30, 40)),
    text=texts,
    fields=st.dictionaries(
        st.sampled_from(("http.route", "url.path", "duration", "outcome")), values
    ),
    place=st.sampled_from(("request", "child", "ended")),
    shown=st.booleans(),
)
@often
def test_an_event_without_a_record(level, text, fields, place, shown):
    """An event that only our handlers hear is the same as one by a record."""

    def inside() -> None:
        go_to(place, {})
        handlers = Handlers()
        waiting = Waiting(lambda: None, lambda: None, weigh_log)
        waiting.room = 10
        handlers.outlet.outlets = (waiting.put_log,)
        with handlers.attached():
            if not shown:
                logging.getLogger().removeHandler(handlers.stdout)
            written, line = handlers.event(text, level, fields, get_current(), 5.25)
            logging.getLogger().addHandler(handlers.stdout)
            record = make_event("aiohttp.access", level, "", 0, text, (), None)
            record.created = 5.25
            vars(record).update(fields)
            handlers.outlet.handle(record)
            second = handlers.shown(record)

        if not written:
            assert (len(waiting), line) == (1, "")  # by the record
            return
        by_event, by_record = waiting.take(10, 1 << 20)
        assert COMPILED.logs([by_event]) == COMPILED.logs([by_record])
        assert line == (second if shown else "")

    contextvars.copy_context().run(inside)


def test_an_ordinary_event_needs_no_record():
    """That of an ordinary request isn't left to Python; those of a stranger's are."""

    def inside() -> None:
        go_to("request", {})
        handlers = Handlers()
        waiting = Waiting(lambda: None, lambda: None, weigh_log)
        waiting.room = 10
        handlers.outlet.outlets = (waiting.put_log,)

        def write():
            fields = {"http.route": "/", "duration": 0.5}
            return handlers.event("GET / 200", 20, fields, get_current())

        with handlers.attached():
            root = logging.getLogger()
            before = time.time()
            written, line = write()
            stranger = logging.NullHandler()
            root.addHandler(stranger)
            heard = write()
            root.removeHandler(stranger)
            handlers.gunicorn.writes_access_lines = True
            shown_by_gunicorn = write()
            handlers.gunicorn.writes_access_lines = False
            handlers.outlet.addFilter(lambda _: True)
            filtered = write()

        assert written
        assert json.loads(line)["event_name"] == "http.server.request"
        at = dt.datetime.fromisoformat(json.loads(line)["timestamp"].rstrip("Z"))
        at = at.replace(tzinfo=dt.timezone.utc).timestamp()
        assert before - 1e-5 <= at <= time.time() + 1e-5
        assert heard == shown_by_gunicorn == filtered == (False, "")
        assert len(waiting) == 1

    contextvars.copy_context().run(inside)


def test_an_event_that_nobody_exports_needs_no_record():
    """Of one outlet that isn't our queue, or of several, nothing is known here."""

    def inside() -> None:
        go_to("request", {})
        handlers = Handlers()

        def write(*outlets):
            handlers.outlet.outlets = outlets
            return handlers.event("GET / 200", 20, {"duration": 0.5}, get_current())

        with handlers.attached():
            written, line = write()
            elsewhere = write(lambda _, __: None)
            both = write(lambda _, __: None, lambda _, __: None)

        assert written
        assert json.loads(line)["message"] == "GET / 200"
        assert elsewhere == both == (False, "")

    contextvars.copy_context().run(inside)
