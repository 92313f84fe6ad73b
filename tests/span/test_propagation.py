"""What the application's global propagator says is read and written, strictly."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from opentelemetry import baggage, propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_aiohttp_logs.span.formats import Format
from otel_aiohttp_logs.span.propagation import extractor, injector
from otel_aiohttp_logs.span.textmap import (
    FormatPropagator,
    b3_several,
    b3_single,
    jaeger,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
# The same request in each format, each with a trace of its own.
HEADERS = {
    "tracecontext": ("traceparent", f"00-{'a' * 32}-{SPAN}-01"),
    "baggage": ("baggage", "user=42"),
    "b3": ("b3", f"{'b' * 32}-{SPAN}-1"),
    "jaeger": ("uber-trace-id", f"{'c' * 32}:{SPAN}:0:1"),
}


class Own(TextMapPropagator):
    """An application's own format, which fails when it's told to."""

    fields = frozenset({"b3"})
    failing = False

    def extract(self, carrier, context=None, getter=None):
        if self.failing:
            raise RuntimeError
        assert "b3" in getter.keys(carrier)
        (value,) = getter.get(carrier, "b3")
        trace_id, span_id = (int(part, 16) for part in value.split("+"))
        span = SpanContext(trace_id, span_id, is_remote=True)
        return set_span_in_context(NonRecordingSpan(span), context)

    def inject(self, carrier, context=None, setter=None):
        if self.failing:
            raise RuntimeError
        span = get_current_span(context).get_span_context()
        carrier["b3"] = f"{span.trace_id:x}+{span.span_id:x}"


@pytest.fixture
def application_sets():
    """Set the global propagator, as an application would, until the test's end."""
    before = propagate.get_global_textmap()
    yield propagate.set_global_textmap
    propagate.set_global_textmap(before)


def extracted(*headers):
    return extractor()(CIMultiDictProxy(CIMultiDict(headers)))


def trace_of(context):
    return f"{get_current_span(context).get_span_context().trace_id:032x}"


def current():
    span = SpanContext(
        int(TRACE, 16), int(SPAN, 16), is_remote=False, trace_flags=TraceFlags(1)
    )
    context = set_span_in_context(NonRecordingSpan(span), Context())
    return baggage.set_baggage("user", "42", context)


def injected(write=None):
    carrier = {}
    (write or injector())(carrier, current())
    return carrier


def test_the_applications_own_propagator_is_heard(application_sets):
    """It goes before our own reading and writing, even of headers that we know."""
    application_sets(Own())
    context = extracted(("b3", f"{TRACE}+{SPAN}"), HEADERS["tracecontext"])

    assert trace_of(context) == TRACE
    assert injected() == {"b3": f"{TRACE}+{SPAN.lstrip('0')}"}


def test_a_subclass_is_not_taken_for_what_we_know(application_sets):
    """It may do something else, alone and as one of several."""

    class Louder(TraceContextTextMapPropagator):
        def inject(self, carrier, context=None, setter=None):
            carrier["traceparent"] = "louder"

    class Both(CompositePropagator):
        def inject(self, carrier, context=None, setter=None):
            carrier["both"] = "yes"

    application_sets(CompositePropagator([Louder(), W3CBaggagePropagator()]))
    assert injected() == {"traceparent": "louder", "baggage": "user=42"}

    application_sets(Both([W3CBaggagePropagator()]))
    assert injected() == {"both": "yes"}


def test_the_formats_that_we_know_are_ours_wherever_they_stand(application_sets):
    """Also inside of others, and each once: two strict readers see what one sees."""
    inner = CompositePropagator([TraceContextTextMapPropagator(), b3_single()])
    application_sets(CompositePropagator([inner, b3_single(), jaeger()]))
    two = [HEADERS["tracecontext"], HEADERS["tracecontext"]]

    assert not get_current_span(extracted(*two)).get_span_context().is_valid
    assert list(injected()) == ["traceparent", "b3", "uber-trace-id", "uberctx-user"]


def test_a_format_that_stands_twice_is_used_once(application_sets):
    """The specification wants it so of names; here of what is nested, too."""
    calls = []

    def read(headers, context):
        calls.append("read")
        return context

    def write(carrier, context):
        calls.append("write")

    form = Format(read, write, frozenset())
    twice = [FormatPropagator(form), CompositePropagator([FormatPropagator(form)])]
    application_sets(CompositePropagator(twice))
    extracted()
    injected()

    assert calls == ["read", "write"]


def test_a_decision_alone_does_not_displace_a_caller(application_sets):
    """Where another format has named the caller, its decision holds."""
    application_sets(
        CompositePropagator([TraceContextTextMapPropagator(), b3_single()])
    )
    context = get_current_span(
        extracted(HEADERS["tracecontext"], ("b3", "0"))
    ).get_span_context()

    assert (f"{context.trace_id:032x}", context.trace_flags) == ("a" * 32, 1)


def test_writing_follows_what_the_application_sets_later(application_sets):
    """Clients are made early; reading is settled with the first request."""
    write = injector()
    assert "traceparent" in injected(write)

    application_sets(b3_several())
    assert list(injected(write)) == ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"]


def test_a_propagator_that_fails_breaks_nothing(application_sets, caplog):
    """The others are read and written all the same; the failure is said once."""
    own = Own()
    own.failing = True
    application_sets(CompositePropagator([own, W3CBaggagePropagator()]))
    read, write = extractor(), injector()
    headers = CIMultiDictProxy(CIMultiDict([("baggage", "a=1")]))

    for _ in range(2):
        assert baggage.get_all(read(headers)) == {"a": "1"}
        assert injected(write) == {"baggage": "user=42"}
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["propagator_failed"] * 2  # one of reading, one of writing


def test_nothing_to_say_writes_nothing():
    """Outside of any request there is no header."""
    carrier = {}
    injector()(carrier, Context())

    assert carrier == {}


@pytest.mark.parametrize(
    ("propagator", "header"),
    [
        (b3_single(), HEADERS["b3"]),
        (b3_several(), HEADERS["b3"]),
        (jaeger(), HEADERS["jaeger"]),
    ],
    ids=["b3", "b3multi", "jaeger"],
)
def test_ours_are_propagators_of_the_api(propagator, header):
    """They read any carrier, write what they say that they do, and keep a context."""
    name, value = header
    context = propagator.extract({name: [value]}, current())
    carrier = {}
    propagator.inject(carrier, context)

    assert trace_of(context) in {"b" * 32, "c" * 32}
    assert baggage.get_all(context) == {"user": "42"}
    assert propagator.fields & carrier.keys()
    assert not get_current_span(propagator.extract({})).get_span_context().is_valid
