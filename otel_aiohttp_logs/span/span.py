"""A span with the API's full behaviour that becomes one flat record at its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from opentelemetry.trace import (
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceState,
)

from otel_aiohttp_logs.flat import FlatEvent, FlatLink, FlatSpan, Plain, Scope
from otel_aiohttp_logs.record.exceptions import error_text, exception_fields
from otel_aiohttp_logs.record.safe import MAX_TEXT
from otel_aiohttp_logs.record.text import name_of, text_of
from otel_aiohttp_logs.record.twins import native, plain
from otel_aiohttp_logs.span.limits import Limits, clean
from otel_aiohttp_logs.span.links import flat_link, own_context, wire_flags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

NO_STATE = TraceState()
UNSET = (0, "")
NONE_DROPPED = (0, 0, 0)  # attributes, events, links


class RecordingSpan(Span):
    """
    A sampled span of our own pipeline.

    The read-only properties are those of the SDK's span that instrumentations
    read, so that they may take it for one.
    """

    __slots__ = (
        "_context",
        "_dropped",
        "_events",
        "_lenient",
        "_links",
        "_sink",
        "_status",
        "attributes",
        "end_time",
        "flags",
        "kind",
        "name",
        "parent",
        "scope",
        "span_id",
        "start_time",
        "trace_id",
        "trace_state",
    )
    limits: ClassVar = Limits()
    most: ClassVar = limits.attributes

    def __init__(  # noqa: PLR0913, PLR0917 (one caller; names cost it time)
        self,
        name: str,
        trace_id: int,
        span_id: int,
        flags: int,
        parent: SpanContext | None,
        kind: SpanKind,
        scope: Scope,
        start_time: int,
        sink: Callable[[FlatSpan], None] | None,
        lenient: tuple[bool, bool],
        state: TraceState,
    ) -> None:
        self.name = name
        self.trace_id = trace_id
        self.span_id = span_id
        self.flags = flags
        self.parent = parent
        self.trace_state = state
        self.kind = kind
        self.scope = scope
        self.start_time = start_time
        self.end_time: int | None = None
        self.attributes: dict[str, Plain] = {}
        self._sink = sink
        self._lenient = lenient
        self._context: SpanContext | None = None
        self._status = UNSET
        # Most spans have none: lists are made for the first one.
        self._events: Sequence[FlatEvent] = ()
        self._links: Sequence[FlatLink] = ()
        self._dropped = NONE_DROPPED

    @property
    def status(self) -> Status:
        code, message = self._status
        return Status(StatusCode(code), message or None)

    def get_span_context(self) -> SpanContext:
        if self._context is None:
            self._context = own_context(self)
        return self._context

    def is_recording(self) -> bool:
        return self.end_time is None

    def update_name(self, name: str) -> None:
        if self.end_time is None:
            self.name = name

    def set_attribute(self, key: str, value: Any) -> None:
        if self.end_time is not None:
            return
        name = key if type(key) is str else name_of(key)
        attributes = self.attributes
        if not name or (len(attributes) >= self.most and name not in attributes):
            self._drop(attributes=1)
            return
        # A mutable value is copied now: it may change before it is encoded.
        attributes[name] = plain(value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(
        self,
        name: str,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
    ) -> None:
        if self.end_time is not None:
            return
        time_ns = time.time_ns() if timestamp is None else timestamp
        limits = self.limits
        kept = clean(attributes, limits.event_attributes, limits.inner_value_length)
        events = [*self._events, FlatEvent(time_ns, text_of(name, MAX_TEXT), *kept)]
        # As with the SDK's, the last ones are kept: they tell how it ended.
        if len(events) > limits.events:
            del events[0]
            self._drop(events=1)
        self._events = events

    def add_link(
        self, context: SpanContext, attributes: Mapping[str, Any] | None = None
    ) -> None:
        if self.end_time is not None:
            return
        link = flat_link(context, attributes, self.limits)
        if link is None:
            return
        links = [*self._links, link]
        if len(links) > self.limits.links:
            del links[0]
            self._drop(links=1)
        self._links = links

    def _drop(self, attributes: int = 0, events: int = 0, links: int = 0) -> None:
        before = self._dropped
        self._dropped = (before[0] + attributes, before[1] + events, before[2] + links)

    def set_status(
        self, status: Status | StatusCode, description: str | None = None
    ) -> None:
        """
        Set the status; OK is final and UNSET is ignored.

        https://opentelemetry.io/docs/specs/otel/trace/api/#set-status
        """
        if isinstance(status, Status):
            description = status.description
        code = status.status_code if isinstance(status, Status) else status
        final = self._status[0] == StatusCode.OK.value
        if self.end_time is not None or final:
            return
        if code is StatusCode.ERROR:
            text = "" if description is None else text_of(description, MAX_TEXT)
            self._status = (code.value, text)
        elif code is StatusCode.OK:
            self._status = (code.value, "")

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: ARG002, FBT001, FBT002 (the API's signature)
    ) -> None:
        """Add the event ``exception``; *escaped* is deprecated and not passed on."""
        if self.end_time is not None:
            return
        raised: object = exception
        if not isinstance(raised, BaseException):
            raised = TypeError(f"no exception: {text_of(raised, MAX_TEXT)}")
        event = exception_fields(raised).named()
        self.add_event("exception", {**event, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        if self.end_time is not None:
            return
        self.end_time = time.time_ns() if end_time is None else end_time
        if self._sink is None:
            return
        if native is None or not native.queue_span(self, self.end_time):
            self._sink(self._flat(self.end_time))

    def _flat(self, end_time: int) -> FlatSpan:
        parent = self.parent
        attributes_dropped, events_dropped, links_dropped = self._dropped
        status, message = self._status
        return FlatSpan(
            self.trace_id,
            self.span_id,
            0 if parent is None else parent.span_id,
            wire_flags(self.flags, parent),
            self.trace_state.to_header() if self.trace_state else "",
            self.name,
            self.kind.value,
            self.start_time,
            end_time,
            self.attributes,
            attributes_dropped,
            self._events,
            events_dropped,
            self._links,
            links_dropped,
            status,
            message,
            self.scope,
        )

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if exc_val is not None:
            record, set_status = self._lenient
            if record:
                self.record_exception(exc_val)
            if set_status:
                self.set_status(StatusCode.ERROR, error_text(exc_val))
        self.end()
