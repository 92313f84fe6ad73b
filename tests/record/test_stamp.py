"""Each log record carries the ids of the request that it was created in."""

from __future__ import annotations

import copy
import logging
import pickle
import queue
import subprocess
import sys
import threading
from logging.handlers import QueueHandler, QueueListener

import pytest
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach, set_value
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, TraceFlags

from otel_aiohttp_logs.record.flatten import flat_log, severity_number
from otel_aiohttp_logs.record.handler import span_event
from otel_aiohttp_logs.record.stamp import ids_of
from otel_aiohttp_logs.record.stamping import Stamping
from otel_aiohttp_logs.scope.request import REQUEST, RequestScope
from otel_aiohttp_logs.span.sampling import sampler
from otel_aiohttp_logs.span.tracer import OwnTracerProvider, SpanPipeline

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def heard():
    """Records of the logger ``shop``, as a handler gets them."""
    records = []

    class Listener(logging.Handler):
        def emit(self, record):
            records.append(record)

    listener, logger = Listener(), logging.getLogger("shop")
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    yield records
    logger.removeHandler(listener)
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def stamped():
    stamping = Stamping()
    stamping.ensure()
    yield stamping
    stamping.undo()


@pytest.fixture
def in_request():
    """A context such as the middleware attaches."""
    context = SpanContext(
        int(TRACE, 16), int(SPAN, 16), is_remote=False, trace_flags=TraceFlags(1)
    )
    outer = trace.set_span_in_context(NonRecordingSpan(context), Context())
    token = attach(set_value(REQUEST, RequestScope("r-1", INVALID_SPAN), outer))
    yield
    detach(token)


log = logging.getLogger("shop")


def ids(record):
    return (record.trace_id, record.span_id, record.trace_flags, record.request_id)


def test_a_record_carries_the_ids(stamped, in_request, heard):
    """Attributes of the record, and fields that format strings find."""
    log.info("hello %s", "you")

    (record,) = heard
    line = logging.Formatter("%(trace_id)s %(request_id)s %(message)s").format(record)
    braced = logging.Formatter("{span_id} {trace_flags}", style="{").format(record)
    assert ids(record) == (TRACE, SPAN, "01", "r-1")
    assert line == f"{TRACE} r-1 hello you"
    assert braced == f"{SPAN} 01"


def test_outside_of_a_request_there_are_none(stamped, heard):
    """The attributes are there all the same: format strings must not fail."""
    log.info("start")

    line = logging.Formatter("%(trace_id)s %(message)s").format(heard[0])
    assert ids(heard[0]) == (None, None, None, None)
    assert line == "None start"


@pytest.mark.parametrize("name", ["trace_id", "span_id", "trace_flags", "request_id"])
def test_extra_may_use_our_names(stamped, in_request, heard, name):
    """
    No KeyError; the given value is what the application's formatters show, as without
    us, and the id of the request goes out beside it.
    """
    log.info("own id", extra={name: "mine", "n": 1})

    (record,) = heard
    line = logging.Formatter(f"%({name})s %(n)s").format(record)
    flat = flat_log(record)
    assert line == "mine 1"
    assert getattr(record, name) == "mine"
    assert ids_of(record) == (TRACE, SPAN, "01", "r-1")
    assert flat.attributes[f"extra.{name}"] == "mine"
    assert (flat.trace_id, flat.span_id) == (int(TRACE, 16), int(SPAN, 16))
    assert flat.attributes["request_id"] == "r-1"


def test_a_filter_may_set_our_names(stamped, in_request):
    """As many do that people have: no error, shown to them, and ours goes out."""
    records = []

    class Listener(logging.Handler):
        def emit(self, record):
            records.append(record)

    def add_ids(record):
        record.trace_id = "mine"
        record.request_id = None
        return True

    listener = Listener()
    listener.addFilter(add_ids)
    log.addHandler(listener)
    log.warning("hello")
    log.removeHandler(listener)

    (record,) = records
    assert (
        logging.Formatter("%(trace_id)s %(request_id)s").format(record) == "mine None"
    )
    assert ids_of(record) == (TRACE, SPAN, "01", "r-1")
    assert flat_log(record).attributes["extra.trace_id"] == "mine"


def test_a_pickle_has_both(stamped, in_request, heard):
    """Whoever reads it finds the request's ids under their names."""
    log.info("own id", extra={"trace_id": "mine"})

    (record,) = heard
    read = pickle.loads(pickle.dumps(record))
    assert ids_of(read) == (TRACE, SPAN, "01", "r-1")
    assert vars(read)["extra.trace_id"] == "mine"


def test_the_stamp_is_put_on_at_creation(stamped, in_request, heard):
    """A record that is handled later, elsewhere, keeps the ids of its request."""
    passed = queue.SimpleQueue()
    handler = QueueHandler(passed)
    log.addHandler(handler)
    log.info("through a queue")
    log.removeHandler(handler)
    seen = []

    class Late(logging.Handler):
        def emit(self, record):
            seen.append(ids(record))

    listener = QueueListener(passed, Late())
    listener.start()
    listener.stop()

    assert seen == [(TRACE, SPAN, "01", "r-1")]


def test_copies_keep_ids_and_fields(stamped, in_request, heard):
    """copy.copy gives an equal record that is its own."""
    log.info("hello", extra={"n": 1})
    twin = copy.copy(heard[0])
    vars(twin)["n"] = 2

    assert ids(twin) == ids(heard[0])
    assert twin.getMessage() == "hello"
    assert vars(heard[0])["n"] == 1


def test_a_pickle_is_read_without_us(stamped, in_request, heard):
    """A process that hasn't this library gets a plain record with the ids in it."""
    log.propagate = False  # no formatter may have looked at it before
    log.info("hello", extra={"n": 1})
    log.propagate = True
    code = (
        "import pickle, sys, logging\n"
        "record = pickle.load(sys.stdin.buffer)\n"
        "assert type(record) is logging.LogRecord\n"
        "assert not any(name.startswith('otel') for name in sys.modules)\n"
        "print(record.trace_id, record.request_id, record.n, record.getMessage())"
    )
    read = subprocess.run(
        [sys.executable, "-S", "-c", code],
        input=pickle.dumps(heard[0]),
        capture_output=True,
        check=True,
        timeout=30,
    )

    assert read.stdout.decode().split() == [TRACE, "r-1", "1", "hello"]


def test_a_record_from_afar_keeps_its_ids(stamped, in_request):
    """makeLogRecord, as a log server calls it, doesn't stamp what comes in."""
    record = logging.makeLogRecord({"msg": "x", "trace_id": "theirs"})

    assert record.trace_id == "theirs"
    assert record.request_id is None
    assert "x" in record.getMessage()


def test_a_factory_of_the_application_is_kept(in_request, heard):
    """Its records get our ids on top of its own fields, and its own class."""

    class Braces(logging.LogRecord):
        def getMessage(self):  # noqa: N802
            return str(self.msg).format(*self.args)

    def factory(*args, **kwargs):
        record = Braces(*args, **kwargs)
        record.host = "h1"
        return record

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(factory)
    stamping = Stamping()
    stamping.ensure()
    try:
        log.info("hello {}", "you", extra={"trace_id": "mine"})  # noqa: PLE1205 (its own style)
    finally:
        stamping.undo()
        restored = logging.getLogRecordFactory()
        logging.setLogRecordFactory(before)

    (record,) = heard
    assert restored is factory
    assert isinstance(record, Braces)
    assert (record.getMessage(), record.host) == ("hello you", "h1")
    assert ids_of(record) == (TRACE, SPAN, "01", "r-1")
    assert record.trace_id == vars(record)["trace_id"] == "mine"
    assert flat_log(record).attributes["extra.trace_id"] == "mine"


def test_a_factory_set_later_is_taken_in(in_request, heard):
    """Chained: nothing to do. Not chained: stamped again, once it is noticed."""
    before = logging.getLogRecordFactory()
    stamping = Stamping()
    stamping.ensure()
    ours = logging.getLogRecordFactory()

    def chained(*args, **kwargs):
        record = ours(*args, **kwargs)
        record.host = "h1"
        return record

    try:
        logging.setLogRecordFactory(chained)
        stamping.ensure()
        log.info("one")
        still = logging.getLogRecordFactory()
        logging.setLogRecordFactory(logging.LogRecord)
        stamping.ensure()
        log.info("two")
        stamping.undo()
        after = logging.getLogRecordFactory()
    finally:
        logging.setLogRecordFactory(before)

    assert still is chained
    assert after is logging.LogRecord
    assert [ids(record)[0] for record in heard] == [TRACE, TRACE]


def test_a_copied_event_finds_its_span_from_any_thread(stamped, heard):
    """A line that is handled in another thread is an event of its own span."""
    finished = []
    provider = OwnTracerProvider()
    provider.pipeline = SpanPipeline(sampler("always_on", 1.0), finished.append)
    with provider.get_tracer("shop").start_as_current_span("work"):
        log.info("hello")
        thread = threading.Thread(
            target=span_event, args=(heard[0], flat_log(heard[0]))
        )
        thread.start()
        thread.join(10)

    ((_, name, attributes, _),) = finished[0].events
    assert (name, attributes["message"]) == ("log", "hello")


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (0, 1),
        (5, 3),
        (10, 5),
        (20, 9),
        (25, 11),
        (30, 13),
        (40, 17),
        (50, 21),
        (99, 24),
    ],
)
def test_severity_numbers(level, severity):
    """The specification's numbers; levels between logging's own lie between."""
    assert severity_number(level) == severity


@pytest.mark.parametrize("given", ["x", "", "0" * 31, 7, None, "z" * 32, b"1"])
def test_ids_that_are_none_do_not_spoil_a_record(given):
    """What somebody else put on a record may be anything; the line goes out."""
    record = logging.makeLogRecord({"msg": "hello", "trace_id": given})

    assert (flat_log(record).trace_id, flat_log(record).body) == (0, "hello")


def test_ids_of_any_record():
    """A record that somebody else stamped has ids, one that nobody did has none."""
    record = logging.LogRecord("shop", 20, "", 0, "x", (), None)
    bare = ids_of(record)
    record.trace_id = TRACE

    assert bare == (None, None, None, None)
    assert ids_of(record).trace_id == TRACE
