"""The compiled encoder leaves what is unusual to the one in Python."""

from __future__ import annotations

import subprocess
import sys

import pytest
from export.records import SCOPE, flat_log, flat_span
from export.twins import COMPILED, PYTHON, needs_compiled
from growth import least_growth

from otel_aiohttp_logs.flat import FlatEvent, FlatLink, Scope

pytestmark = needs_compiled


WRONG_CALLS = ((), (1, 2, 3, 4, 5), (int, 2, 3, 4, {}), (int,) * 5, (None,) * 6)


class Text(str):
    __slots__ = ()


LOGS = [
    flat_log("first"),
    flat_log("second", logger="other"),
    flat_log(Text("a class of its own")),
    flat_log("third", attributes={"n": 1 << 64, "list": [1, {"a": ()}], 5: "number"}),
    flat_log("\ud800", attributes={"\ud800": "\udfff"}),
    flat_log("fourth", attributes={"set": {1}, "deep": [[[[[[[[1]]]]]]]]}),
    flat_log("fifth", time_ns=-1, attributes={"kept": b"\x00"}),
    flat_log("sixth", logger=Text("other")),
    flat_log("seventh", trace_id=0, span_id=0, flags=0, event_name="order.placed"),
    None,
    ("not", "a", "record"),
    flat_log("eighth", severity_number=True, attributes={"x": ["y" * 200] * 200}),
    flat_log("last", attributes={"many": list(range(20_000))}),
]
SPANS = [
    flat_span("first"),
    flat_span("second", scope=Scope("other", "1", "https://example.com/schema")),
    flat_span(Text("a class of its own")),
    flat_span("third", parent_span_id=7, trace_state="a=1", kind=2, dropped_links=3),
    flat_span("fourth", events=[FlatEvent(1, "e", {"a": None}, 2), None]),
    flat_span("fifth", links=(FlatLink(1, 2, 3, "a=1", {"b": 2}, 4),)),
    flat_span("sixth", status_code=2, status_message="broken: ä"),
    flat_span("seventh", scope=("a", "b", "c")),
    flat_span("eighth", scope=Scope(["unhashable"])),
    flat_span("last", scope=Scope(*SCOPE), dropped_events=1, dropped_attributes=300),
]


def test_unusual_logs_among_others():
    """Usual and unusual records, mixed, become the same bytes in the same order."""
    assert COMPILED.logs(LOGS) == PYTHON.logs(LOGS)


def test_unusual_spans_among_others():
    """So do spans."""
    assert COMPILED.spans(SPANS) == PYTHON.spans(SPANS)


@pytest.mark.parametrize("size", [0, 1, 20, 126, 127, 128, 129, 16_383, 16_384, 70_000])
def test_lengths(size):
    """A length has as many bytes as it needs, on every level."""
    text = "x" * size
    logs = [flat_log(text, attributes={text: [text, {text: text}]})]
    spans = [flat_span(text, events=[FlatEvent(1, text, {text: text})])]

    assert COMPILED.logs(logs) == PYTHON.logs(logs)
    assert COMPILED.spans(spans) == PYTHON.spans(spans)


def test_nothing_is_left_behind():
    """Encoding holds on to no memory, whatever the records are."""

    def encode(times):
        for _ in range(times):
            COMPILED.logs(LOGS)
            COMPILED.spans(SPANS)

    encode(10)

    assert least_growth(lambda: encode(10)) < 2_000


def test_references_are_counted_right():
    """After many rounds each object is referred to as often as before."""
    for _ in range(3):
        before = [sys.getrefcount(record) for record in LOGS[:5] + SPANS[:5]]
        groups_before = sys.getrefcount(SCOPE), sys.getrefcount(SPANS[1].scope)
        COMPILED.logs(LOGS)
        COMPILED.spans(SPANS)

    assert [sys.getrefcount(record) for record in LOGS[:5] + SPANS[:5]] == before
    assert (sys.getrefcount(SCOPE), sys.getrefcount(SPANS[1].scope)) == groups_before


def test_wrong_calls():
    """A call that fits nothing is refused, and not answered by a crash."""
    import otel_aiohttp_logs._speed._c as compiled

    takers = (compiled.group_logs, compiled.group_spans, compiled.pass_on)
    for function in (*takers, compiled.said, compiled.configure):
        for wrong in WRONG_CALLS:
            with pytest.raises(TypeError):
                function(*wrong)


def test_pure_on_request():
    """``OTEL_AIOHTTP_LOGS_PURE=1`` has the Python functions do it all."""
    code = "from otel_aiohttp_logs._speed import native; print(native)"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={"OTEL_AIOHTTP_LOGS_PURE": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert shown.stdout == "None\n"
