"""
The context of a request, out of its headers and into those of the calls that it makes.

What is read and written is what the API's global propagator says: by default that of
``OTEL_PROPAGATORS``, or one that the application set. The formats that we know are
read and written by our own functions, which are strict; the others by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator

from otel_aiohttp_logs.span import formats
from otel_aiohttp_logs.span.foreign import foreign
from otel_aiohttp_logs.span.textmap import FormatPropagator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from opentelemetry.propagators.textmap import TextMapPropagator

    from otel_aiohttp_logs.span.formats import Format
    from otel_aiohttp_logs.span.remote import Headers

# By name: of two of these classes we do not know whether they are installed.
_KNOWN = {
    "opentelemetry.trace.propagation.tracecontext.TraceContextTextMapPropagator": (
        formats.TRACE_CONTEXT
    ),
    "opentelemetry.baggage.propagation.W3CBaggagePropagator": formats.BAGGAGE,
    "opentelemetry.propagators.b3.B3SingleFormat": formats.B3_SINGLE,
    "opentelemetry.propagators.b3.B3MultiFormat": formats.B3_SEVERAL,
    "opentelemetry.propagators.jaeger.JaegerPropagator": formats.JAEGER,
}
# A context is never changed, so that all can begin with the same.
_NOTHING = Context()


def extractor() -> Callable[[Headers], Context]:
    """Return the function that reads what the global propagator would read."""
    readers = [form.read for form in _formats_of(_global_textmap())]
    if not readers:
        return lambda _: _NOTHING
    if len(readers) == 1:
        (only,) = readers
        return lambda headers: only(headers, _NOTHING)
    if len(readers) == 2:
        first, second = readers
        return lambda headers: second(headers, first(headers, _NOTHING))

    def read_all(headers: Headers) -> Context:
        context = _NOTHING
        for read in readers:
            context = read(headers, context)
        return context

    return read_all


def injector() -> Callable[[MutableMapping[str, str], Context], None]:
    """
    Return the function that writes what the global propagator would write.

    Asked at each call, since clients are made early, and the application may set
    another one later.
    """
    textmap: TextMapPropagator | None = None
    writers: list[Callable[[MutableMapping[str, str], Context], None]] = []

    def write_all(carrier: MutableMapping[str, str], context: Context) -> None:
        nonlocal textmap, writers
        current = _global_textmap()
        if current is not textmap:
            textmap = current
            writers = [form.write for form in _formats_of(current)]
        for write in writers:
            write(carrier, context)

    return write_all


def _global_textmap() -> TextMapPropagator:
    # Not at the top: importing it fails when OTEL_PROPAGATORS is wrong, and our own
    # check of it says better what to do.
    from opentelemetry.propagate import get_global_textmap  # noqa: PLC0415

    return get_global_textmap()


def _formats_of(textmap: TextMapPropagator) -> list[Format]:
    """Return the formats of *textmap*, each once, in its order."""
    return list(dict.fromkeys(map(_format_of, _parts(textmap))))


def _parts(textmap: TextMapPropagator) -> Iterator[TextMapPropagator]:
    # A subclass may do something else: then it is used as a whole.
    if type(textmap) is CompositePropagator:
        for part in textmap._propagators:  # noqa: SLF001 (there is no other way)
            yield from _parts(part)
    else:
        yield textmap


def _format_of(textmap: TextMapPropagator) -> Format:
    if isinstance(textmap, FormatPropagator):
        return textmap.form
    kind = type(textmap)
    known = _KNOWN.get(f"{kind.__module__}.{kind.__qualname__}")
    return foreign(textmap) if known is None else known
