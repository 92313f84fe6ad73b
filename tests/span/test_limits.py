"""How much a span carries: by the variables, as the SDK's own limits have it."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.trace import Link, SpanContext

from otel_aiohttp_logs._settings import Options, read_settings
from otel_aiohttp_logs.span.limited import span_class
from otel_aiohttp_logs.span.limits import Limits, RecordLimits
from otel_aiohttp_logs.span.sampling import sampler
from otel_aiohttp_logs.span.span import RecordingSpan
from otel_aiohttp_logs.span.tracer import OwnTracerProvider, SpanPipeline

VARIABLES = [
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
]


@pytest.fixture
def finished():
    return []


@pytest.fixture
def tracer(finished):
    """Make a tracer whose spans keep *limits*."""

    def with_limits(**limits):
        provider = OwnTracerProvider()
        provider.pipeline = SpanPipeline(
            sampler("always_on", 1.0), finished.append, span_class(Limits(**limits))
        )
        return provider.get_tracer("shop")

    return with_limits


def by_sdk():
    """Return what the SDK reads from the same environment."""
    limits = SpanLimits()
    return Limits(
        attributes=limits.max_span_attributes,
        events=limits.max_events,
        links=limits.max_links,
        event_attributes=limits.max_event_attributes,
        link_attributes=limits.max_link_attributes,
        value_length=limits.max_span_attribute_length,
        inner_value_length=limits.max_attribute_length,
    )


def number(variables, *names):
    """Return the first of *names* that is set."""
    values = [variables.get(f"{name}_LIMIT") for name in names]
    return next((int(value) for value in values if value), None)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        *({name: "7"} for name in VARIABLES),
        *({name: "0"} for name in VARIABLES),
        *({"OTEL_ATTRIBUTE_COUNT_LIMIT": "5", name: "7"} for name in VARIABLES[:8]),
        *(
            {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "5", name: "7"}
            for name in VARIABLES[:8]
        ),
    ],
    ids=lambda variables: ",".join(f"{k[5:]}={v}" for k, v in variables.items()) or "-",
)
def test_the_variables_mean_what_they_mean_to_the_sdk(monkeypatch, variables):
    """Each has its default, the general one's value, or its own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    settings = read_settings(Options())
    assert settings.limits == by_sdk()
    # A record's limits are the general ones or their own, without the default of 128.
    assert settings.record_limits == RecordLimits(
        number(variables, "OTEL_LOGRECORD_ATTRIBUTE_COUNT", "OTEL_ATTRIBUTE_COUNT"),
        number(
            variables,
            "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH",
            "OTEL_ATTRIBUTE_VALUE_LENGTH",
        ),
    )


@pytest.mark.parametrize("value", ["-1", "many", "1.5", "0x10"])
@pytest.mark.parametrize("name", VARIABLES)
def test_a_bad_value_is_refused(name, value):
    """The error names the variable, its value and what to write."""
    with pytest.raises(ValueError, match="whole number, 0 or more") as raised:
        read_settings(Options(), {name: value})

    assert str(raised.value).startswith(f"{name} is {value!r}: write ")


def test_an_empty_value_is_the_default():
    """As the specification has it of all variables."""
    assert read_settings(Options(), dict.fromkeys(VARIABLES, "")).limits == Limits()


def test_without_limits_of_its_own_a_process_has_the_plain_span():
    """Nothing is asked where nothing is set."""
    assert span_class(Limits()) is RecordingSpan
    assert issubclass(span_class(Limits(events=1)), RecordingSpan)
    assert span_class(Limits(events=1)).set_attribute is RecordingSpan.set_attribute


def test_limits_count_what_they_leave_out(tracer, finished):
    """128 attributes, events and links are kept, the rest is counted."""
    link = Link(SpanContext(3, 4, is_remote=True), {"l": 1})
    span = tracer().start_span("x", links=[link] * 130)
    for i in range(130):
        span.set_attribute(f"a{i}", i)
        span.add_event("e", {f"k{j}": j for j in range(129)})
    span.set_attribute("a0", "changed")
    span.end()

    (record,) = finished
    assert (len(record.attributes), record.dropped_attributes) == (128, 2)
    assert record.attributes["a0"] == "changed"
    assert (len(record.events), record.dropped_events) == (128, 2)
    assert record.events[0].dropped_attributes == 1
    assert (len(record.links), record.dropped_links) == (128, 2)
    assert record.links[0][:4] == (3, 4, 0x300, "")


def test_the_first_attributes_and_the_last_events_are_kept(tracer, finished):
    """
    Of attributes those that came too late are left out, as the specification wants; of
    events and links the oldest, as the SDK does: the end says more.
    """
    span = tracer(attributes=2, events=2, links=2).start_span("x")
    for i in range(4):
        span.set_attribute(f"a{i}", i)
        span.add_event(f"e{i}")
        span.add_link(SpanContext(1, i + 1, is_remote=True))
    span.set_attribute("a1", "changed")
    span.end()

    (record,) = finished
    assert record.attributes == {"a0": 0, "a1": "changed"}
    assert [event.name for event in record.events] == ["e2", "e3"]
    assert [link.span_id for link in record.links] == [3, 4]
    dropped = (record.dropped_attributes, record.dropped_events, record.dropped_links)
    assert dropped == (2, 2, 2)


def test_texts_are_cut_wherever_they_stand(tracer, finished):
    """In lists and mappings, too; bytes are cut, and what an object says of itself."""

    class Order:
        def __str__(self):
            return "order 4711"

    span = tracer(value_length=3).start_span("x")
    span.set_attributes(
        {
            "text": "abcd",
            "list": ["abcd", ["abcd"]],
            "mapping": {"abcd": "abcd"},
            "bytes": b"abcd",
            "number": 1234,
            "object": Order(),
        }
    )
    span.end()

    assert finished[0].attributes == {
        "text": "abc",
        "list": ["abc", ["abc"]],
        "mapping": {"abcd": "abc"},
        "bytes": b"abc",
        "number": 1234,
        "object": "ord",
    }


async def test_a_request_keeps_them(monkeypatch, instrumented, collector, arrived):
    """What is exported of a request keeps the limits, and says what was left out."""
    from aiohttp import web

    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2")
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4")
    app = web.Application()
    client = await instrumented(app)
    response = await client.get("/")
    assert response.status == 404

    (span,) = await arrived.served()
    assert len(span.attributes) == 2
    assert span.proto.dropped_attributes_count > 2
    assert all(len(v) <= 4 for v in span.attributes.values() if isinstance(v, str))


def test_limits_are_frozen():
    """Settings don't change after the start."""
    with pytest.raises(AttributeError):
        Limits().events = 1
