"""
The record factory while records are stamped: the one place that sees every record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from opentelemetry.context import get_current

from otel_aiohttp_logs.record.stamp import Stamped, StampedRecord
from otel_aiohttp_logs.scope.fields import BOUND

RecordFactory: TypeAlias = Callable[..., logging.LogRecord]


class Stamping:
    """Owner of the process's record factory while records are stamped."""

    def __init__(self, make_record: RecordFactory = StampedRecord) -> None:
        self._make_record = make_record
        self._before: RecordFactory | None = None
        self._ours: RecordFactory | None = None

    def ensure(self) -> None:
        """Stamp from now on, also if the application has set a factory since."""
        factory = logging.getLogRecordFactory()
        if factory is self._ours or _stamps(factory):
            return
        self._before = factory
        self._ours = stamping(factory, self._make_record)
        logging.setLogRecordFactory(self._ours)

    def undo(self) -> None:
        """Put the factory back, unless somebody's stands around ours by now."""
        if self._before and logging.getLogRecordFactory() is self._ours:
            logging.setLogRecordFactory(self._before)
        self._before = self._ours = None


def _stamps(factory: RecordFactory) -> bool:
    probe = factory("otel_aiohttp_logs", logging.DEBUG, "", 0, "", (), None)
    return isinstance(probe, Stamped)


def stamping(
    before: RecordFactory, make_record: RecordFactory = StampedRecord
) -> RecordFactory:
    """
    Return a record factory that stamps what the factory *before* makes.

    Where that is logging's own, *make_record* does it all at once.
    """
    if before is logging.LogRecord:
        return make_record
    stamped: dict[type[logging.LogRecord], type[StampedRecord]] = {}

    def stamp_made(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = before(*args, **kwargs)
        if isinstance(made, Stamped):
            return made
        kind = stamped.get(type(made))
        if kind is None:
            kind = stamped[type(made)] = _with_stamp(type(made))
        record = kind.__new__(kind)
        vars(record).update(vars(made))
        from_afar = vars(made).get("name") is None
        if from_afar:
            record.remember(None)
        else:
            record.remember(get_current(), bound=BOUND.get())
        return record

    return stamp_made


def _with_stamp(kind: type[logging.LogRecord]) -> type[StampedRecord]:
    """Return *kind* with a stamp, for records of the application's own factory."""

    def get_message(record: Any) -> str:
        record.settle()
        return kind.getMessage(record)

    body = {"__slots__": StampedRecord.__slots__, "getMessage": get_message}
    # Not a StampedRecord by name, but with all that one has.
    return cast(
        "type[StampedRecord]", type(f"Stamped{kind.__name__}", (Stamped, kind), body)
    )
