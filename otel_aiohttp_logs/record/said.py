"""
What a record says, in a safe form: worked out once for both of our handlers.

The one that exports leaves it on the record, and the one for stdout takes it from
there. Only that one may: it's silent where the application has a handler, so nothing
of the application's, such as a filter that hides a password, has come in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_aiohttp_logs.record.fields import extra_fields, message
from otel_aiohttp_logs.record.stamp import Said, Stamped
from otel_aiohttp_logs.scope.fields import fields_for
from otel_aiohttp_logs.scope.request import REQUEST, request_in

if TYPE_CHECKING:
    import logging

    from opentelemetry.context import Context

    from otel_aiohttp_logs.flat import Plain


def said(record: logging.LogRecord) -> Said:
    # The message first: it's what puts the ids where extra_fields expects them.
    text, fields = message(record), extra_fields(record)
    context = record.stamp if isinstance(record, Stamped) else None
    if isinstance(record, Stamped) and context is not None:
        if record.bound is not None:
            fields = {**fields_for(record.bound, context), **fields}
        if REQUEST in context:
            fields.update(_after_the_end(context, record.created))
    return Said(text, fields)


def _after_the_end(context: Context, created: float) -> dict[str, Plain]:
    """Return the mark of a line that was logged after its request had ended."""
    scope = request_in(context)
    if scope is None or scope.ended is None or created <= scope.ended:
        return {}
    after = round(created - scope.ended, 6)
    return {"request.ended": True, "request.ended_after": after}


def say_and_leave(record: logging.LogRecord) -> Said:
    """Return what *record* says, and leave it there for ``take``."""
    words = said(record)
    if isinstance(record, Stamped):
        record.said = words
    return words


def take(record: logging.LogRecord) -> Said:
    """Return what was left on *record*, which is then gone; else work it out."""
    if not isinstance(record, Stamped) or record.said is None:
        return said(record)
    words, record.said = record.said, None
    return words
