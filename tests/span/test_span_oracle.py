"""Our tracer does what the SDK's does: the same calls, the same exported spans."""

from __future__ import annotations

from importlib.metadata import version

import pytest
import span_calls_current as current
import span_calls_data as data
from export.collector import plain_attributes
from export.oracle import decoded_spans, expected_spans, spans_of
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_aiohttp_logs.export.backlog import Backlog
from otel_aiohttp_logs.export.weight import weigh_span
from otel_aiohttp_logs.span.limited import span_class
from otel_aiohttp_logs.span.limits import Limits
from otel_aiohttp_logs.span.sampling import sampler
from otel_aiohttp_logs.span.tracer import OwnTracerProvider, SpanPipeline

LIMITS = {
    "default": (Limits(), SpanLimits()),
    "small": (
        Limits(3, 2, 1, 1, 2, 5, 4),
        SpanLimits(
            max_span_attributes=3,
            max_events=2,
            max_links=1,
            max_event_attributes=1,
            max_link_attributes=2,
            max_span_attribute_length=5,
            max_attribute_length=4,
        ),
    ),
    "none": (
        Limits(0, 0, 0, 0, 0, 0, 0),
        SpanLimits(0, 0, 0, 0, 0, 0, 0, 0),
    ),
}
SAMPLERS = {
    "always_on": sampling.ALWAYS_ON,
    "always_off": sampling.ALWAYS_OFF,
    "traceidratio": sampling.TraceIdRatioBased(1.0),
    "parentbased_always_on": sampling.DEFAULT_ON,
    "parentbased_always_off": sampling.DEFAULT_OFF,
    "parentbased_traceidratio": sampling.ParentBasedTraceIdRatio(0.0),
}
# Until then, the SDK left mappings and mixed lists out.
FROM_1_45 = {"values_of_all_kinds", "long_values", "attributes_without_name"}
SCOPE = ("shop", "1.2", "https://example.org/schema")


def name_of(call):
    return call.__name__


def by_sdk(call, limits, decide):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource({}),
        sampler=decide,
        span_limits=limits,
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    call(provider.get_tracer(*SCOPE))
    provider.shutdown()
    spans = spans_of(expected_spans(exporter.get_finished_spans()))
    for event in (event for span in spans for event in span.events):
        without_escaped(event)
    return comparable(spans)


def by_us(call, limits, decide):
    """Return our spans, which are the same flat and in the exporter's queue."""
    flat, queue = [], Backlog(1000, 1000, weigh_span)
    for sink in (flat.append, queue.put):
        provider = OwnTracerProvider()
        provider.pipeline = SpanPipeline(decide, sink, span_class(limits))
        call(provider.get_tracer(*SCOPE))
    ours = comparable(spans_of(decoded_spans(queue.take())))
    assert comparable(spans_of(decoded_spans(flat))) == ours
    return ours


def comparable(spans):
    """Return all of *spans* but for what differs from run to run, in their order."""
    ids = {}
    return [
        {
            "name": span.name,
            "trace": ids.setdefault(span.trace_id, len(ids)),
            "span": ids.setdefault(span.span_id, len(ids)),
            "parent": ids.setdefault(span.parent_span_id, len(ids)),
            "state": span.trace_state,
            "flags": span.flags,
            "kind": span.kind,
            "times": (given(span.start_time_unix_nano), given(span.end_time_unix_nano)),
            "status": (span.status.code, span.status.message),
            "attributes": attributes(span),
            "events": [
                (event.name, given(event.time_unix_nano), attributes(event))
                for event in span.events
            ],
            "dropped": (span.dropped_events_count, span.dropped_links_count),
            "links": [
                (
                    int.from_bytes(link.trace_id, "big"),
                    int.from_bytes(link.span_id, "big"),
                    link.trace_state,
                    link.flags,
                    attributes(link),
                )
                for link in span.links
            ],
        }
        for span in spans
    ]


def given(time_ns):
    """Times that a test gave are small numbers."""
    return time_ns if time_ns < 1_000_000 else "now"


def without_escaped(event):
    """Take out ``exception.escaped``: it's deprecated, and not written by us."""
    pairs = [pair for pair in event.attributes if pair.key == "exception.escaped"]
    for pair in pairs:
        event.attributes.remove(pair)
    if event.name == "exception" and not pairs:
        event.dropped_attributes_count -= 1
    elif pairs and event.dropped_attributes_count:
        # It has displaced another one.
        event.dropped_attributes_count -= 1
        event.attributes.add(key="displaced")


def attributes(holder):
    """
    Return the attributes, or only their number where some were left out.

    Upstream leaves out the oldest ones; the specification, and we, the newest.
    """
    found = plain_attributes(holder.attributes)
    if holder.dropped_attributes_count:
        return len(found), holder.dropped_attributes_count
    if "exception.stacktrace" in found:
        # The frames are each tracer's own, and upstream's ends with a line break.
        lines = found["exception.stacktrace"].splitlines()
        found["exception.stacktrace"] = lines[-1]
    return found


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize(
    "call", data.CALLS + current.CALLS, ids=lambda call: call.__name__
)
def test_the_same_calls_export_the_same_spans(call, limits):
    """Under the default limits, small ones, and such as leave nothing over."""
    if call.__name__ in FROM_1_45 and version("opentelemetry-sdk") < "1.45":
        pytest.skip("the SDK took fewer kinds of values then")
    ours, theirs = LIMITS[limits]
    expected = by_sdk(call, theirs, sampling.DEFAULT_ON)

    assert expected
    assert by_us(call, ours, sampler("parentbased_always_on", 1.0)) == expected


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("call", current.CALLS, ids=name_of)
def test_each_sampler_decides_the_same(call, name):
    """For roots, and for the children of sampled and unsampled parents."""
    expected = by_sdk(call, SpanLimits(), SAMPLERS[name])

    ratio = 0.0 if name == "parentbased_traceidratio" else 1.0
    assert by_us(call, Limits(), sampler(name, ratio)) == expected
