"""
Our own tracer provider: the API's interfaces in front of ``RecordingSpan``.

One provider serves the whole process, because the API lets the global provider be
set only once. It makes spans while a pipeline is behind it, and passes contexts on
without recording when there is none.
"""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.context import attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    TracerProvider,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.util._decorator import _agnosticcontextmanager

from otel_aiohttp_logs.flat import FlatSpan, Scope
from otel_aiohttp_logs.record.exceptions import error_text
from otel_aiohttp_logs.span.ids import new_span_id, new_trace_id
from otel_aiohttp_logs.span.links import own_context
from otel_aiohttp_logs.span.span import NO_STATE, RecordingSpan
from otel_aiohttp_logs.span.twins import new_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link
    from opentelemetry.util.types import Attributes

    from otel_aiohttp_logs.flat import Plain
    from otel_aiohttp_logs.span.sampling import Sampler

LENIENT = (True, True)  # on an exception: record it, set the status
_SAMPLED = 0x01
_RANDOM = 0x02


class SpanPipeline(NamedTuple):
    """Which spans are recorded, and where a finished one goes."""

    sampler: Sampler
    sink: Callable[[FlatSpan], None] | None
    """None if nobody wants it: then it's there for the ids of its lines."""
    span: type[RecordingSpan] = RecordingSpan
    """The class of the spans, which knows their limits (see span.limited)."""


class OwnTracerProvider(TracerProvider):
    def __init__(self) -> None:
        self.pipeline: SpanPipeline | None = None

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,  # noqa: ARG002 (the API's signature)
    ) -> Tracer:
        scope = Scope(
            instrumenting_module_name or "",
            instrumenting_library_version or "",
            schema_url or "",
        )
        return OwnTracer(self, scope)


def parent_of(
    context: Context | None,
) -> tuple[SpanContext | None, SpanContext | None, int, TraceState, int]:
    """
    Return what a span in *context* has from the one that is current there.

    That is its parent, whom the sampler hears, the trace id, the state, and of the
    flags the random one.
    """
    current = get_current_span(context).get_span_context()
    if current.is_valid:
        random = current.trace_flags & _RANDOM
        return current, current, current.trace_id, current.trace_state, random
    # A caller without ids may have decided all the same (see span.remote).
    asked = current if current.is_remote else None
    return None, asked, new_trace_id(), NO_STATE, _RANDOM


class OwnTracer(Tracer):
    def __init__(self, provider: OwnTracerProvider, scope: Scope) -> None:
        self.provider = provider
        self.scope = scope

    def start_span(  # noqa: PLR0913, PLR0917 (the API's signature)
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
    ) -> Span:
        lenient = (record_exception, set_status_on_exception)
        span = self._begin(name, context, kind, start_time, lenient)
        if attributes:
            span.set_attributes(attributes)
        for link in links or ():
            if link:
                span.add_link(link.context, link.attributes)
        return span

    def start_request_span(
        self,
        name: str,
        context: Context,
        attributes: dict[str, Plain],
        start_time: int,
    ) -> Span:
        """Return a SERVER span that takes over *attributes*: plain ones, and few."""
        span = self._begin(name, context, SpanKind.SERVER, start_time, LENIENT)
        if type(span) is RecordingSpan:
            span.attributes = attributes
        else:  # it isn't recorded, or has limits of its own
            span.set_attributes(attributes)
        return span

    def _begin(
        self,
        name: str,
        context: Context | None,
        kind: SpanKind,
        start_time: int | None,
        lenient: tuple[bool, bool],
    ) -> Span:
        if context is None or context:
            parent, asked, trace_id, state, random = parent_of(context)
        else:  # there's nobody to ask
            parent, asked, state, random = None, None, NO_STATE, _RANDOM
            trace_id = new_trace_id()
        pipeline = self.provider.pipeline
        if pipeline is None:
            return _passed_on(parent, trace_id)
        if not pipeline.sampler(asked, trace_id):
            return unrecorded(parent, trace_id, random)
        make = new_span if pipeline.span is RecordingSpan else pipeline.span
        return make(
            name,
            trace_id,
            new_span_id(),
            random | _SAMPLED,
            parent,
            kind,
            self.scope,
            time_ns() if start_time is None else start_time,
            pipeline.sink,
            lenient,
            state,
        )

    # Also a decorator, of coroutine functions too, as the API's and the SDK's is.
    @_agnosticcontextmanager
    def start_as_current_span(  # noqa: PLR0913, PLR0917 (the API's signature)
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
        end_on_exit: bool = True,  # noqa: FBT001, FBT002
    ) -> Iterator[Span]:
        span = self.start_span(name, context, kind, attributes, links, start_time)
        # Not the API's use_span(): it lets an exception whose text can't be had raise
        # another one in its place.
        token = attach(set_span_in_context(span))
        try:
            yield span
        except Exception as error:
            if record_exception:
                span.record_exception(error)
            if set_status_on_exception:
                span.set_status(StatusCode.ERROR, error_text(error))
            raise
        finally:
            detach(token)
            if end_on_exit:
                span.end()


def _passed_on(parent: SpanContext | None, trace_id: int) -> Span:
    """
    Return what stands for a span where nobody records.

    The caller's own, as the API has it: what the next service records hangs under
    the caller then, and the caller's decision holds.
    """
    return NonRecordingSpan(parent) if parent else unrecorded(None, trace_id, _RANDOM)


class UnrecordedSpan(NonRecordingSpan):
    """What stands for a span that isn't sampled; few are asked for their context."""

    __slots__ = ("flags", "span_id", "trace_id", "trace_state")
    _context: SpanContext | None = None  # type: ignore[assignment]  # made when asked for

    def __init__(
        self, trace_id: int, span_id: int, flags: int, trace_state: TraceState
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.flags = flags
        self.trace_state = trace_state

    def get_span_context(self) -> SpanContext:
        if self._context is None:
            self._context = own_context(self)
        return self._context


def unrecorded(parent: SpanContext | None, trace_id: int, random: int) -> Span:
    state = NO_STATE if parent is None else parent.trace_state
    return UnrecordedSpan(trace_id, new_span_id(), random, state)
