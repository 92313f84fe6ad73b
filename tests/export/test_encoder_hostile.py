"""What cannot be encoded as it is goes out in a safe form, and harms no neighbour."""

from __future__ import annotations

import enum
import threading
import tracemalloc
from collections import OrderedDict, UserDict, UserList

import pytest
from export.collector import plain, plain_attributes
from export.oracle import decoded_logs, decoded_spans, log_records, spans_of
from export.records import flat_log, flat_span
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otel_aiohttp_logs.export.values import (
    CUT,
    MAX_DEPTH,
    MAX_ITEMS,
    any_value,
    attributes_encoder,
)
from otel_aiohttp_logs.flat import FlatEvent, FlatLink


class Colour(enum.IntEnum):
    RED = 7


class Ratio(float):
    def __float__(self) -> float:
        raise RuntimeError


class Shout(str):
    """A string that is something else when asked."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError

    def encode(self, *_):
        raise RuntimeError


class Grudge:
    """An object that raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __format__ = __repr__

    def __bool__(self) -> bool:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError


class BrokenMapping(UserDict):
    def items(self):
        raise RuntimeError


def value_of(value):
    return plain(AnyValue.FromString(any_value(value)))


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("\ud800", "\\ud800"),
        ("a\udfffb\x00", "a\\udfffb\x00"),
        ("\x00", "\x00"),
        (2**63, str(2**63)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (1 << 20_000, hex(1 << 20_000)),
        (Colour.RED, 7),
        (Shout("loud"), "loud"),
        (Grudge(), "<Grudge>"),
        (object, "<type>"),
        (1j, "<complex>"),
        (bytearray(b"ab"), b"ab"),
        ({1}, [1]),
        (("a", ("b", None)), ["a", ["b", None]]),
        (UserList(["a"]), ["a"]),
        (OrderedDict(a=1), {"a": 1}),
        (
            {1: "int", None: "none", 1.5: "float"},
            {"1": "int", "None": "none", "1.5": "float"},
        ),
        ({Grudge: 1, b"k": 2}, {"<type>": 1, "<bytes>": 2}),
        ({"\udc00": "\udc00"}, {"\\udc00": "\\udc00"}),
        ([Grudge(), 1], ["<Grudge>", 1]),
        ([], []),
        ({}, {}),
        (float("-inf"), float("-inf")),
        (Ratio(0.5), 0.5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_odd_values(value, arrives):
    """A value of an odd kind arrives as the nearest plain one."""
    assert value_of(value) == arrives


def test_deep_nesting_is_cut():
    """Nesting ends at a bound that every receiver can decode."""
    deep: object = "bottom"
    for _ in range(500):
        deep = {"in": [deep]}

    depth, value = 0, value_of(deep)
    while value != CUT:
        value = value["in"] if isinstance(value, dict) else value[0]
        depth += 1

    assert depth == MAX_DEPTH


def test_cycles_end():
    """A list and a mapping that contain themselves end, in size and in time."""
    loop: list = []
    loop += [loop] * 10
    mapping: dict = {}
    mapping.update({str(number): mapping for number in range(10)})

    assert len(any_value(loop)) < 20 * MAX_ITEMS
    assert len(any_value(mapping)) < 30 * MAX_ITEMS


def test_long_list_is_cut():
    """A list of too many items says that it has more."""
    value = value_of(list(range(MAX_ITEMS + 5)))

    assert len(value) == MAX_ITEMS + 1
    assert value[-2:] == [MAX_ITEMS - 1, CUT]


def test_equal_values_of_different_types_stay_apart():
    """True, 1 and 1.0 are equal, and so are 0.0 and -0.0: each arrives as it is."""
    values = [1, True, 1.0, 0, False, 0.0, -0.0, 1, True, 1.0, "1", b"1"]
    logs = [flat_log(attributes={"same": value}) for value in values]

    arrived = [plain_attributes(r.attributes) for r in log_records(decoded_logs(logs))]

    assert [repr(attributes["same"]) for attributes in arrived] == list(
        map(repr, values)
    )


def test_memory_of_attributes_is_bounded():
    """What is remembered doesn't grow with the number of keys and values."""
    encode = attributes_encoder(b"\x32")
    tracemalloc.start()
    try:
        for number in range(20_000):
            encode({f"key{number}": "v", "same": f"value{number}"}, len)
            encode({"same": "x" * 10_000 + str(number)}, len)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 500_000


WRONG = [
    {"time_ns": -1},
    {"time_ns": 1 << 64},
    {"time_ns": "now"},
    {"severity_number": -5},
    {"severity_number": None},
    {"severity_text": None},
    {"logger": None},
    {"logger": ["unhashable"]},
    {"body": None},
    {"body": 5},
    {"body": Grudge()},
    {"attributes": None},
    {"attributes": BrokenMapping(a=1)},
    {"attributes": {Grudge: 1}},
    {"trace_id": 1 << 128},
    {"trace_id": -1},
    {"span_id": 1 << 64},
    {"flags": 1 << 32},
    {"flags": "01"},
    {"event_name": None},
    {"event_name": 5},
]


@pytest.mark.parametrize("wrong", WRONG, ids="-".join)
def test_wrong_field_of_a_log(wrong):
    """
    A log record with a field of a wrong type or range arrives without that field,
    and its neighbours arrive untouched.
    """
    logs = [flat_log("before"), flat_log("wrong", **wrong), flat_log("after")]

    records = log_records(decoded_logs(logs))

    by_body = {plain(record.body): record for record in records}
    assert len(records) == 3
    assert {"before", "after"} < set(by_body)
    assert by_body["after"].trace_id == logs[2].trace_id.to_bytes(16, "big")
    if "body" not in wrong:
        assert by_body["wrong"].span_id or "span_id" in wrong


@pytest.mark.parametrize("garbage", [None, 5, "text", (), Grudge(), [1]], ids=type)
def test_garbage_instead_of_records(garbage):
    """Something that isn't a record at all becomes an empty one."""
    logs = log_records(decoded_logs([flat_log("before"), garbage, flat_log("after")]))
    spans = spans_of(decoded_spans([flat_span("before"), garbage, flat_span("after")]))

    assert {plain(record.body) for record in logs} == {"before", "", "after"}
    assert {span.name for span in spans} == {"before", "", "after"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "SERVER"},
        {"kind": -3},
        {"start_ns": -1},
        {"end_ns": None},
        {"parent_span_id": 1 << 64},
        {"trace_state": 5},
        {"name": None},
        {"attributes": [1]},
        {"dropped_attributes": -1},
        {"dropped_events": "1"},
        {"dropped_links": None},
        {"events": None},
        {"events": [None]},
        {"events": [FlatEvent("now", "event", {"a": 1})]},
        {"links": [FlatLink(-1, 1, 0, "", {})]},
        {"links": [FlatLink(1, 1, 0, "", None)]},
        {"status_code": -1},
        {"status_message": None},
        {"scope": None},
        {"scope": ("a",)},
        {"scope": (1, 2, 3)},
    ],
    ids="-".join,
)
def test_wrong_field_of_a_span(wrong):
    """A span with a wrong field arrives without it, and so do its neighbours."""
    spans = [flat_span("before"), flat_span("wrong", **wrong), flat_span("after")]

    arrived = {span.span_id: span for span in spans_of(decoded_spans(spans))}

    assert len(arrived) == 3
    for span in spans:
        same = arrived[span.span_id.to_bytes(8, "big")]
        assert same.trace_id == span.trace_id.to_bytes(16, "big")
        assert same.name in {span.name, "" if span.name is None else span.name}


def test_what_is_right_survives_beside_what_is_wrong():
    """The attributes of a record that has to be mended are kept."""
    span = flat_span(
        start_ns=-1,
        events=[FlatEvent(5, "event", {"deep": {"a": [1]}}), "no event"],
        attributes={"kept": [1, "two"], 5: "number"},
    )

    (arrived,) = spans_of(decoded_spans([span]))

    assert plain_attributes(arrived.attributes) == {
        "kept": [1, "two"],
        "5": "number",
    }
    assert [event.name for event in arrived.events] == ["event", ""]
    assert plain_attributes(arrived.events[0].attributes) == {"deep": {"a": [1]}}


def test_a_value_that_raises():
    """An attribute that cannot be read says so, and the others are kept."""
    bad = flat_log("bad", attributes={"broken": BrokenMapping(a=1), "kept": "x"})

    (record,) = log_records(decoded_logs([bad]))

    assert plain(record.body) == "bad"
    expected = {"broken": "<BrokenMapping: RuntimeError>", "kept": "x"}
    assert plain_attributes(record.attributes) == expected


def test_huge_body():
    """A message of 10 MB is encoded whole: to shorten it is the business of others."""
    (record,) = log_records(decoded_logs([flat_log("ä" * 5_000_000)]))

    assert plain(record.body) == "ä" * 5_000_000


def test_surrogates_everywhere():
    """A lone surrogate in any text of a record is escaped, and the rest is intact."""
    bad = "x\ud83d"
    log = flat_log(bad, logger=bad, severity_text=bad, attributes={bad: bad})
    span = flat_span(
        bad,
        trace_state=bad,
        status_message=bad,
        attributes={bad: [bad, {bad: bad}]},
        events=[FlatEvent(1, bad, {bad: bad})],
    )

    (record,) = log_records(decoded_logs([log]))
    (arrived,) = spans_of(decoded_spans([span]))

    good = "x\\ud83d"
    assert plain(record.body) == record.severity_text == good
    assert plain_attributes(record.attributes) == {good: good}
    assert arrived.name == arrived.status.message == arrived.trace_state == good
    assert plain_attributes(arrived.attributes) == {good: [good, {good: good}]}


def test_a_mapping_that_changes_meanwhile():
    """A mapping that another thread changes costs no record its neighbours."""
    shared: dict = {}
    done = threading.Event()

    def change():
        number = 0
        while not done.is_set():
            number += 1
            shared[number % 97] = number
            shared.pop((number * 31) % 97, None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(20):
            logs = [flat_log("x", attributes=shared), flat_log("neighbour")]
            records = log_records(decoded_logs(logs * 50))
            assert len(records) == 100
    finally:
        done.set()
        thread.join()
