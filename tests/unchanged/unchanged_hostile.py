"""Parts of an application's telemetry that raise, each at one place."""

from __future__ import annotations

from opentelemetry import metrics, trace
from opentelemetry._logs import NoOpLogger, NoOpLoggerProvider
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags


class BrokenError(Exception):
    """Whose text can't be had either."""

    def __str__(self):
        raise RuntimeError

    __repr__ = __str__


def raising(*_args, **_options):
    raise BrokenError


class BrokenSpan(NonRecordingSpan):
    """A span of which the methods *names* raise."""

    def __init__(self, *names):
        super().__init__(SpanContext(7 << 96, 7 << 32, False, TraceFlags(1)))
        for name in names:
            setattr(self, name, raising)

    def is_recording(self):
        return True


class BrokenTracers(trace.TracerProvider, trace.Tracer):
    """A provider, and its tracer, whose spans break in one method, or it does."""

    def __init__(self, *names):
        self._names = names

    def get_tracer(self, *_args, **_options):
        return raising() if "get_tracer" in self._names else self

    def start_span(self, *_args, **_options):
        return raising() if "start_span" in self._names else BrokenSpan(*self._names)

    start_as_current_span = raising


class BrokenLoggers(NoOpLoggerProvider, NoOpLogger):
    def __init__(self, name):
        self._name = name

    def get_logger(self, *_args, **_options):
        return raising() if self._name == "get_logger" else self

    emit = raising


class BrokenMeter(metrics.NoOpMeterProvider):
    def __init__(self, name):
        self._name = name

    def get_meter(self, *_args, **_options):
        if self._name == "get_meter":
            raise BrokenError
        meter = metrics.NoOpMeter("broken")
        for kind in ("create_up_down_counter", "create_histogram"):
            instrument = getattr(meter, kind)("broken")
            if self._name in {"add", "record"}:
                instrument.add = instrument.record = raising
            setattr(meter, kind, lambda *_args, i=instrument, **_options: i)
        return meter


class BrokenPropagator(TextMapPropagator):
    extract = inject = raising
    fields = frozenset({"x-broken"})


class Unspeakable:
    """A value that says nothing of itself."""

    __str__ = __repr__ = __hash__ = __len__ = __iter__ = __bool__ = raising


def in_spans(*names):
    return {"tracer_provider": BrokenTracers(*names)}


TRACING = {
    "a provider that gives no tracer": in_spans("get_tracer"),
    "a tracer that starts no span": in_spans("start_span"),
    "a span that takes no attribute": in_spans("set_attribute", "set_attributes"),
    "a span that takes no exception": in_spans("record_exception"),
    "a span that takes no status": in_spans("set_status"),
    "a span that doesn't end": in_spans("end"),
    "a meter provider without meters": {"meter_provider": BrokenMeter("get_meter")},
    "instruments that measure nothing": {"meter_provider": BrokenMeter("add")},
}
LOGGING = {
    "a provider that gives no logger": {"logger_provider": BrokenLoggers("get_logger")},
    "a logger that emits nothing": {"logger_provider": BrokenLoggers("emit")},
    "a span that takes no line": {**in_spans("add_event"), "span_events": True},
}
