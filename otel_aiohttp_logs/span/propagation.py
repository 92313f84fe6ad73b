"""
The context of a request, out of its headers and into those of the calls that it makes.

What is read and written is what the API's global propagator says: by default that of
``OTEL_PROPAGATORS``, or one that the application set. The formats that we know are
read and written by our own functions, which are strict; the others by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator

from otel_aiohttp_logs.span import formats
from otel_aiohttp_logs.span.foreign import foreign
from otel_aiohttp_logs.span.textmap import FormatPropagator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping, Sequence

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
NOTHING = Context()


class Extractor(NamedTuple):
    """Reads what the global propagator would read."""

    readers: Sequence[Callable[[Headers, Context], Context]]
    needs: tuple[str, ...] | None
    """Without any of these headers it answers ``NOTHING``; None if that is unknown."""

    def __call__(self, headers: Headers) -> Context:
        context = NOTHING
        for read in self.readers:
            context = read(headers, context)
        return context


def extractor() -> Extractor:
    formats = _formats_of(_global_textmap())
    needs: set[str] = set()
    for form in formats:
        if form.needs is None:
            return Extractor([form.read for form in formats], None)
        needs |= form.needs
    return Extractor([form.read for form in formats], tuple(sorted(needs)))


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
