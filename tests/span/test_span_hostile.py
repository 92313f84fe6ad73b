"""What an application may put onto a span without harm to its request."""

from __future__ import annotations

import pytest
from export.collector import plain_attributes
from export.oracle import decoded_spans, spans_of
from opentelemetry.trace import SpanContext, StatusCode

from otel_aiohttp_logs.span.limited import span_class
from otel_aiohttp_logs.span.limits import Limits
from otel_aiohttp_logs.span.sampling import sampler
from otel_aiohttp_logs.span.tracer import OwnTracerProvider, SpanPipeline


class Bad:
    """Raises whatever it is asked."""

    def _raise(self, *_):
        raise RuntimeError

    __str__ = __repr__ = __bool__ = __len__ = __iter__ = __getattr__ = _raise
    __hash__ = object.__hash__


class BadError(Exception):
    def __str__(self):
        raise RuntimeError


class Name(str):
    __slots__ = ()

    def encode(self, *_):
        raise RuntimeError


@pytest.fixture(params=[Limits(), Limits(value_length=20, events=3)], ids=["-", "cut"])
def exported(request):
    """Return what is exported of a span that a function has had."""

    def of(use):
        finished = []
        provider = OwnTracerProvider()
        provider.pipeline = SpanPipeline(
            sampler("always_on", 1.0), finished.append, span_class(request.param)
        )
        span = provider.get_tracer("shop").start_span("x")
        use(span)
        span.set_attribute("neighbour", "here")
        span.end()
        (sent,) = spans_of(decoded_spans(finished))
        assert plain_attributes(sent.attributes)["neighbour"] == "here"
        return sent

    return of


LOOP = []
LOOP.append(LOOP)

USES = {
    "a value that raises": lambda span: span.set_attribute("a", Bad()),
    "a value that holds itself": lambda span: span.set_attribute("a", LOOP),
    "a huge number": lambda span: span.set_attribute("a", 10**5000),
    "a lone surrogate": lambda span: span.set_attribute("a", "\ud800"),
    "NUL": lambda span: span.set_attribute("a", "\0"),
    "ten million letters": lambda span: span.set_attribute("a", "x" * 10_000_000),
    "a name that is no text": lambda span: span.set_attribute(7, 1),
    "a name that raises": lambda span: span.set_attribute(Bad(), 1),
    "a name that can't be hashed": lambda span: span.set_attribute([1], 1),
    "a name of a subclass": lambda span: span.set_attribute(Name("a"), 1),
    "a name with a surrogate": lambda span: span.set_attribute("\ud800", 1),
    "many, with all of these": lambda span: span.set_attributes(
        {Bad(): Bad(), 7: LOOP, None: None, Name("a"): Name("b")}
    ),
    "an event": lambda span: span.add_event(Bad(), {Bad(): Bad(), "": 1}, 5),
    "a link": lambda span: span.add_link(
        SpanContext(1, 2, is_remote=True), {Bad(): Bad()}
    ),
    "an exception without text": lambda span: span.record_exception(BadError()),
    "an exception with attributes": lambda span: span.record_exception(
        ValueError(Bad()), {"a": Bad()}
    ),
    "no exception": lambda span: span.record_exception("only text"),
    "a status that is none": lambda span: span.set_status("ERROR"),
    "a status with a text that raises": lambda span: span.set_status(
        StatusCode.ERROR, Bad()
    ),
    "a name of the span": lambda span: span.update_name(Bad()),
    "a name of the span with a surrogate": lambda span: span.update_name("\ud800"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_nothing_raises_and_all_else_arrives(exported, use):
    """Whatever is set, the span is exported, and what else it holds with it."""
    assert exported(use).name


def test_an_exception_without_text_leaves_as_it_was_raised():
    """Also through start_as_current_span(), which describes it in the status."""
    finished = []
    provider = OwnTracerProvider()
    provider.pipeline = SpanPipeline(sampler("always_on", 1.0), finished.append)
    tracer = provider.get_tracer("shop")

    for block in (tracer.start_as_current_span, tracer.start_span):
        with pytest.raises(BadError), block("x"):
            raise BadError

    assert [span.status_message for span in finished] == [
        "BadError: <unprintable BadError>"
    ] * 2
