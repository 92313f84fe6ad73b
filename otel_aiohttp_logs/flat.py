"""
The two flat records that leave the per-request path: a span and a log line.

Everything in them is a number, a string, or a plain value (see ``record.safe``), so
that the exporting thread needs nothing from the application to encode them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

Plain: TypeAlias = (
    "str | bool | int | float | bytes | Sequence[Plain] | Mapping[str, Plain] | None"
)
Attributes: TypeAlias = Mapping[str, Plain]


class Scope(NamedTuple):
    """Who made a span: the instrumentation scope of the specification."""

    name: str
    version: str = ""
    schema_url: str = ""


class FlatEvent(NamedTuple):
    time_ns: int
    name: str
    attributes: Attributes
    dropped_attributes: int = 0


class FlatLink(NamedTuple):
    trace_id: int
    span_id: int
    flags: int
    trace_state: str
    attributes: Attributes
    dropped_attributes: int = 0


class FlatSpan(NamedTuple):
    trace_id: int
    span_id: int
    parent_span_id: int
    """0 for a root span."""
    flags: int
    """OTLP's ``Span.flags``: W3C trace flags, 0x100 and 0x200 for a remote parent."""
    trace_state: str
    name: str
    kind: int
    """The API's ``SpanKind`` value; OTLP counts from one more."""
    start_ns: int
    end_ns: int
    attributes: Attributes
    dropped_attributes: int
    events: Sequence[FlatEvent]
    dropped_events: int
    links: Sequence[FlatLink]
    dropped_links: int
    status_code: int
    """0 unset, 1 ok, 2 error: the same in the API and in OTLP."""
    status_message: str
    scope: Scope


class FlatLog(NamedTuple):
    time_ns: int
    severity_number: int
    severity_text: str
    logger: str
    """The logger's name; in OTLP the name of the instrumentation scope."""
    body: str
    attributes: Attributes
    trace_id: int
    """0 outside of any trace; so is *span_id*."""
    span_id: int
    flags: int
    event_name: str = ""
    """What kind of event it is, where it is one: its attributes have a known form."""
