"""
Each log record is stamped with the context that it was created in.

The stamp is put on by the record factory, because only that sees every record of
every logger, and at creation, because a record may be handled in another thread.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.context import Context, get_current
from opentelemetry.trace import get_current_span

from otel_aiohttp_logs.scope.fields import BOUND, Bound, fields_for
from otel_aiohttp_logs.scope.request import REQUEST, request_in

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider

    from otel_aiohttp_logs.flat import Plain

ID_NAMES = ("trace_id", "span_id", "trace_flags", "request_id")


class Ids(NamedTuple):
    trace_id: str | None = None
    span_id: str | None = None
    trace_flags: str | None = None
    request_id: str | None = None


NO_IDS = Ids()


class Said(NamedTuple):
    """What a record says, in a safe form; see ``said``."""

    message: str
    fields: dict[str, Plain]


def ids_in(context: Context) -> Ids:
    scope = request_in(context)
    if scope is None and REQUEST in context:
        return NO_IDS
    request_id = None if scope is None else scope.request_id
    try:
        span = get_current_span(context).get_span_context()
        valid = span.is_valid
    except Exception:  # noqa: BLE001 (somebody's own kind of span; the line is kept)
        valid = False
    if not valid:
        return NO_IDS if request_id is None else Ids(request_id=request_id)
    return _as_text(span.trace_id, span.span_id, span.trace_flags, request_id)


# A request's lines, of which there are several, have the same ids.
@lru_cache(maxsize=256)
def _as_text(
    trace_id: int, span_id: int, trace_flags: int, request_id: str | None
) -> Ids:
    return Ids(f"{trace_id:032x}", f"{span_id:016x}", f"{trace_flags:02x}", request_id)


def same_id(value: object, own: str | None) -> bool:
    """Tell whether *value* is *own*, without asking an object of the application's."""
    return value is own or (type(value) is str and value == own)


def _id_shown(name: str) -> Any:
    """
    Return a property: the id called *name*, or what the application set in its place.
    """

    def get(record: Stamped) -> str | None:
        fields = vars(record)
        shown: str | None = (
            fields[name] if name in fields else getattr(record.ids, name)
        )
        return shown

    def put(record: Stamped, value: object) -> None:
        vars(record)[name] = value

    return property(get, put)


class Stamped:
    """
    What a stamped record has on top of its own class.

    The ids are properties, and the stamp is a slot, so that neither stands in the
    record's ``__dict__`` while logging checks that against the names in ``extra``:
    it raises KeyError for each name that is taken.
    """

    # Slots of each subclass.
    _context: Context | None
    _ids: Ids | None
    bound: Bound | None
    """What was bound where the record was created; see ``scope.fields``."""
    said: Said | None
    """See ``record.said``."""
    passed_to: tuple[LoggerProvider, ...]
    """See ``pipeline.upstream``, which sets it."""

    def remember(
        self,
        context: Context | None,
        ids: Ids | None = None,
        bound: Bound | None = None,
    ) -> None:
        self._context = context
        self._ids = ids
        self.bound = bound
        self.said = None

    @property
    def stamp(self) -> Context | None:
        """The context that the record was created in, None if it came from afar."""
        return self._context

    @property
    def ids(self) -> Ids:
        ids = self._ids
        if ids is None:
            context = self._context
            if context is None:
                fields = vars(self)
                ids = Ids(*(fields.get(name) for name in ID_NAMES))
            else:
                ids = ids_in(context)
            self._ids = ids
        return ids

    trace_id = _id_shown("trace_id")
    span_id = _id_shown("span_id")
    trace_flags = _id_shown("trace_flags")
    request_id = _id_shown("request_id")

    def settle(self) -> None:
        """
        Show ids and bound fields in ``__dict__``, where format strings look for them.

        By then ``extra`` is on the record. What the application put there, or on the
        record itself, under one of our names stays: its formatters show it as without
        us, and ``ids`` has ours.
        """
        fields, ids = vars(self), self.ids
        if fields.keys().isdisjoint(ID_NAMES):
            fields["trace_id"] = ids.trace_id
            fields["span_id"] = ids.span_id
            fields["trace_flags"] = ids.trace_flags
            fields["request_id"] = ids.request_id
        else:
            for name, value in zip(ID_NAMES, ids, strict=True):
                fields.setdefault(name, value)
        if self.bound is not None and self._context is not None:
            for name, field in fields_for(self.bound, self._context).items():
                fields.setdefault(name, field)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        # A copy, or the reader of a pickle, may be a process without our classes.
        self.settle()
        fields = dict(vars(self))
        for name, value in zip(ID_NAMES, self.ids, strict=True):
            given = fields[name]
            if not same_id(given, value):
                fields[f"extra.{name}"] = given
                fields[name] = value
        return logging.makeLogRecord, (fields,)

    def __copy__(self) -> Stamped:
        twin = type(self).__new__(type(self))
        vars(twin).update(vars(self))
        twin.remember(self._context, self._ids, self.bound)
        return twin


class StampedRecord(Stamped, logging.LogRecord):
    """A log record that knows its request: the record factory while we stamp."""

    __slots__ = ("_context", "_ids", "bound", "passed_to", "said")

    def __init__(self, name: str | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(name, *args, **kwargs)  # type: ignore[arg-type]  # see below
        # makeLogRecord gives no name: the record was made elsewhere and brings its ids.
        self._context = None if name is None else get_current()
        self._ids = None
        self.bound = None if name is None else BOUND.get()
        self.said = None

    def getMessage(self) -> str:  # noqa: N802 (logging's name)
        # Each formatter asks for the message before it looks at the fields.
        self.settle()
        return super().getMessage()


def ids_of(record: logging.LogRecord) -> Ids:
    """Return the ids of any record, stamped or not."""
    if isinstance(record, Stamped):
        return record.ids
    return Ids(*(getattr(record, name, None) for name in ID_NAMES))


def shows_our_ids(record: logging.LogRecord) -> bool:
    """Tell whether the ids in its ``__dict__`` are ours: see ``settle``."""
    return isinstance(record, Stamped) and record.stamp is not None


def context_of(record: logging.LogRecord) -> Context:
    """Return the context that *record* was created in, the current one if unknown."""
    stamp = record.stamp if isinstance(record, Stamped) else None
    return get_current() if stamp is None else stamp
