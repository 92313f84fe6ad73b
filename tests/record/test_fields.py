from __future__ import annotations

import asyncio
import logging
import logging.handlers
import pickle
import queue

import pytest

from otel_aiohttp_logs.record.fields import (
    exception,
    extra_fields,
    id_text,
    message,
    own_name,
)

IDS = {
    "request_id": "r",
    "trace_id": "a" * 32,
    "span_id": "b" * 16,
    "trace_flags": "01",
}


class Taking(logging.Handler):
    def __init__(self):
        super().__init__()
        self.taken = []

    def emit(self, record):
        self.taken.append(record)


def record_of(msg="x", *args, extra=None, **kwargs):
    """Return the record that a logger makes."""
    logger = logging.Logger("shop")  # noqa: LOG001 - no part of logging's tree
    handler = Taking()
    logger.addHandler(handler)
    logger.error(msg, *args, extra=extra, **kwargs)
    (record,) = handler.taken
    return record


class Unprintable:
    def __str__(self):
        raise ValueError("no")

    __repr__ = __str__


class Text(str):
    __slots__ = ()


class Chatty:
    def __str__(self):
        return Text("chatty")


@pytest.mark.parametrize(
    ("msg", "args", "expected"),
    [
        ("plain", (), "plain"),
        ("%s of %d", ("tea", 3), "tea of 3"),
        ("%(a)s", ({"a": 1},), "1"),
        ({"a": 1}, (), "{'a': 1}"),
        (Text("sub"), (), "sub"),
        (Chatty(), (), "chatty"),
        ("a\ud800b", (), "a\\ud800b"),
        (
            "%d items",
            ("x",),
            (
                "%d items [arguments ('x') failed: TypeError: "
                "%d format: a real number is required, not str]"
            ),
        ),
        (
            "%s",
            (1, 2),
            (
                "%s [arguments (1, 2) failed: TypeError: "
                "not all arguments converted during string formatting]"
            ),
        ),
        (
            "%s and %s",
            (Unprintable(), "b"),
            (
                "%s and %s [arguments (<unprintable Unprintable>, 'b') failed: "
                "ValueError: no]"
            ),
        ),
        (
            "%(b)s",
            ({"a": 1},),
            "%(b)s [arguments ({'a': 1}) failed: KeyError: 'b']",
        ),
        (
            Unprintable(),
            (),
            "<unprintable Unprintable> [arguments () failed: ValueError: no]",
        ),
    ],
)
def test_message(msg, args, expected):
    """
    The message has its arguments in it; if they don't fit it's the template, the
    arguments and the reason.
    """
    text = message(record_of(msg, *args))

    assert text == expected
    assert type(text) is str


@pytest.mark.parametrize(
    ("msg", "kept", "cut"),
    [("x" * 300_000, 262_144, 37_856), ("é" * 300_000, 131_072, 337_856)],
)
def test_long_message(msg, kept, cut):
    """Of a message 256 KiB are kept, and a mark."""
    assert message(record_of(msg)) == msg[:kept] + f"…[{cut} bytes cut]"


@pytest.mark.parametrize("extra", [{"item": "tea", "amount": 3}, {"b": [1], "a": {}}])
def test_extra_fields(extra):
    """The fields are what was passed in ``extra``, in its order, and nothing else."""
    fields = extra_fields(record_of(extra=extra))

    assert list(fields.items()) == list(extra.items())
    assert extra_fields(record_of()) == {}


@pytest.mark.parametrize("form", ["%(message)s %(asctime)s", "%(message)s"])
async def test_other_formatters_leave_no_field(form):
    """What logging itself or a formatter puts on a record is no field."""
    try:
        raise ValueError("x")
    except ValueError:
        record = record_of("x", extra={"a": 1}, exc_info=True)
    logging.Formatter(form).format(record)
    vars(record)["taskName"] = asyncio.current_task().get_name()

    assert extra_fields(record) == {"a": 1}


def test_records_of_another_making():
    """A class of the application may set its attributes before logging's own."""

    class Early(logging.LogRecord):
        def __init__(self, *args):
            self.early = 1
            super().__init__(*args)
            self.late = 2

    record = Early("shop", 20, "f.py", 1, "x", (), None)
    sent = pickle.loads(pickle.dumps(vars(record_of(extra={"a": 1}))))

    assert extra_fields(record) == {"early": 1, "late": 2}
    assert extra_fields(logging.makeLogRecord(sent)) == {"a": 1}


def test_ids_are_no_fields():
    """The four ids aren't fields, but what can't be an id is kept under a name."""
    ours = extra_fields(record_of(extra=IDS))
    theirs = extra_fields(record_of(extra={"trace_id": 7, "span_id": ["s"], "a": 1}))

    assert ours == {}
    assert extra_fields(record_of(extra=dict.fromkeys(IDS))) == {}
    assert theirs == {"extra.trace_id": 7, "extra.span_id": ["s"], "a": 1}


def test_a_stamped_record_keeps_both():
    """The application's value under the name of an id stands beside the id."""
    record = record_of(extra={**IDS, "extra.trace_id": "theirs"})

    assert extra_fields(record) == {"extra.trace_id": "theirs"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a1", "a1"),
        ("", None),
        (None, None),
        (7, None),
        ("x" * 129, "x" * 128 + "…[1 bytes cut]"),
    ],
)
def test_id_text(value, expected):
    """An id is a text, of at most 128 bytes."""
    assert id_text(value) == expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("item", 1, "item"),
        ("timestamp", 1, "extra.timestamp"),
        ("severity_text", 1, "extra.severity_text"),
        ("severity_number", 1, "extra.severity_number"),
        ("level", 1, "extra.level"),
        ("logger", 1, "extra.logger"),
        ("message", 1, "extra.message"),
        ("body", 1, "extra.body"),
        ("exception", {}, "extra.exception"),
        ("exception.type", 1, "extra.exception.type"),
        ("trace_id", 1, "extra.trace_id"),
        ("request_id", 1, "extra.request_id"),
        ("_msg", 1, "extra._msg"),
        ("", 1, "extra."),
        ("service.name", 1, "extra.service.name"),
        ("service.", 1, "extra.service."),
        ("telemetry.sdk.name", 1, "extra.telemetry.sdk.name"),
        ("service", {"name": "x"}, "extra.service"),
        ("telemetry", {"sdk": {}}, "extra.telemetry"),
        ("service", "stock", "service"),
        ("services.name", 1, "services.name"),
        ("my.service.name", 1, "my.service.name"),
        ("levels", 1, "levels"),
    ],
)
def test_own_name(key, value, expected):
    """A field named like one of the record or the resource gets a name of its own."""
    assert own_name(key, value) == expected
    if key not in {"message", *IDS}:
        assert extra_fields(record_of(extra={key: value})) == {expected: value}


def test_renamed_fields_stay_apart():
    """No field is lost because its new name is taken."""
    fields = extra_fields(record_of(extra={"extra.level": 1, "level": 2, 3: 4, "3": 5}))

    assert fields == {"extra.level": 1, "extra.level~2": 2, "3": 4, "3~2": 5}


@pytest.mark.parametrize("key", ["n" * 500, "service." + "é" * 200])
def test_long_names(key):
    """Names over 128 bytes are cut and stay apart."""
    first, second = extra_fields(record_of(extra={key: 1, key + "x": 2})).items()

    assert (first[1], second[1]) == (1, 2)
    assert first[0] != second[0]
    assert len(first[0].encode()) <= 128
    assert len(second[0].encode()) <= 128
    assert first[0].startswith(own_name(key, 1)[:60])


@pytest.mark.parametrize("name", ["n" * 70, "é" * 35])
def test_long_nested_names(name):
    """The name of a field and those in it are at most 128 bytes together."""
    ((outer, value),) = extra_fields(record_of(extra={name: {"m" * 100: 1}})).items()
    (inner,) = value

    assert outer == name
    assert inner.startswith("m" * 40)
    assert len(f"{outer}.{inner}".encode()) <= 128


@pytest.mark.parametrize("count", [501, 2000])
def test_many_fields(count):
    """Of too many fields the first 500 are kept, and one says how many are missing."""
    fields = extra_fields(record_of(extra={f"k{i}": i for i in range(count)}))

    left_out = fields.pop("extra.left_out")
    assert fields == {f"k{i}": i for i in range(500)}
    assert left_out == count - 500
    assert "extra.left_out" not in extra_fields(
        record_of(extra={f"k{i}": i for i in range(500)})
    )


def test_large_fields():
    """The fields of a record together stay under what a log store takes."""
    fields = extra_fields(record_of(extra={f"k{i}": "x" * 60_000 for i in range(500)}))

    assert len(fields) == 500
    assert sum(map(len, fields.values())) < 600_000


def test_stack_info():
    """A stack that was asked for is a field."""
    fields = extra_fields(record_of(stack_info=True, extra={"a": 1}))

    assert fields["a"] == 1
    assert fields["stack_info"].startswith("Stack (most recent call last):")
    assert "test_stack_info" in fields["stack_info"]


class ShopError(Exception):
    pass


def raised(error, cause=None):
    """Return the record of *error*, logged where it was caught."""
    try:
        if cause is None:
            raise error
        try:
            raise cause
        except type(cause) as exc:
            raise error from exc
    except type(error):
        return record_of("failed", exc_info=True)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (ValueError("wrong"), "ValueError", "wrong"),
        (ShopError("a\nb"), f"{__name__}.ShopError", "a\nb"),
        (asyncio.QueueFull(), "asyncio.queues.QueueFull", ""),
    ],
)
def test_exception(error, kind, reason):
    """An exception has its qualified type, its message and its stack."""
    found = exception(raised(error))

    assert (found.type, found.message) == (kind, reason)
    assert found.stack.startswith("Traceback (most recent call last):\n")
    assert "in raised" in found.stack
    assert found.stack.endswith(f"{kind}: {reason}" if reason else kind)


def test_causes():
    """The stack has the causes in it."""
    found = exception(raised(ShopError("outer"), KeyError("inner")))

    assert found.type == f"{__name__}.ShopError"
    assert "KeyError: 'inner'" in found.stack
    assert "direct cause" in found.stack
    assert found.stack.endswith("ShopError: outer")


@pytest.mark.parametrize(
    "info",
    [None, (None, None, None), (), True, (ValueError,), (1, 2, 3), (int, 1, None)],
)
def test_no_exception(info):
    """Without an exception there is none, whatever stands in its place."""
    record = record_of()
    record.exc_info = info

    assert exception(record) is None


def test_exceptions_given_in_other_ways():
    """An exception alone, or its type alone, will do."""
    record = record_of()
    record.exc_info = ValueError("alone")
    assert exception(record)[:2] == ("ValueError", "alone")

    record = record_of()
    record.exc_info = (ShopError, None, None)
    assert exception(record)[:2] == (f"{__name__}.ShopError", "")


def test_stack_is_made_once():
    """The text of a stack is kept where logging's own formatters look for it."""
    record = raised(ValueError("once"))
    first = exception(record)
    record.exc_info[1].args = ("twice",)

    assert exception(record).stack == first.stack == record.exc_text
    assert logging.Formatter().format(record).endswith(first.stack)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (ValueError("wrong"), "ValueError", "wrong"),
        (ShopError(), f"{__name__}.ShopError", ""),
    ],
)
def test_exception_from_afar(error, kind, reason):
    """A record that only has the text of its exception is read from that."""
    record = raised(error, KeyError("other: one"))
    logging.Formatter().format(record)
    record.exc_info = None

    found = exception(record)
    assert (found.type, found.message) == (kind, reason)
    assert found.stack == record.exc_text


def test_text_without_a_traceback():
    """A text that is no traceback is the stack, without type and message."""
    record = record_of()
    record.exc_text = "went wrong here"

    assert exception(record) == ("", "", "went wrong here")


@pytest.mark.parametrize("length", [300_000, 3_000_000])
def test_long_stack(length):
    """Of a long stack the middle is cut: the first calls and the reason are kept."""
    found = exception(raised(ValueError("x" * length + "end")))

    assert len(found.stack) < 263_000
    assert found.stack.startswith("Traceback")
    assert found.stack.endswith("xend")
    assert " bytes cut]\n" in found.stack
    assert len(found.message) < 17_000


def test_exceptions_that_fail():
    """An exception whose own code raises still has its type and a stack."""

    class OddError(Exception):
        def __str__(self):
            raise RuntimeError("no")

    found = exception(raised(OddError()))

    assert found.type.endswith("OddError")
    assert found.message == "<unprintable OddError>"
    assert found.stack.startswith("Traceback (most recent call last):")


def test_through_a_queue():
    """A record that went through a ``QueueHandler`` has its message and fields."""
    handler = logging.handlers.QueueHandler(queue.SimpleQueue())
    handler.handle(raised(ValueError("queued")))
    record = handler.queue.get()

    assert message(record).startswith("failed\nTraceback")
    assert extra_fields(record) == {}
    assert exception(record) is None
