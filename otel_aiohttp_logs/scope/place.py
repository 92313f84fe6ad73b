"""Where in the application's code a step stands: its line is logged from there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.context import get_current

from otel_aiohttp_logs.scope.fields import BOUND, bound_to, fields_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, FrameType

    from otel_aiohttp_logs.flat import Plain

_NO_MODULE = "otel_aiohttp_logs.step"


class Place(NamedTuple):
    module: str
    """The name of the logger, too: as ``logging.getLogger(__name__)`` there."""
    path: str
    line: int
    function: str


def place_of_frame(frame: FrameType) -> Place:
    code = frame.f_code
    module = frame.f_globals.get("__name__")
    return Place(_name(module), code.co_filename, frame.f_lineno, code.co_name)


def place_of_function(function: object, otherwise: Place) -> Place:
    """Return where *function* is defined, *otherwise* if it isn't written in Python."""
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return otherwise
    module = getattr(function, "__module__", None)
    return Place(_name(module), code.co_filename, code.co_firstlineno, code.co_name)


def log_from(
    place: Place,
    level: int,
    args: tuple[str, str],
    fields: Mapping[str, Plain],
    raised: BaseException | None,
) -> bool:
    """
    Log a line of two words as if *place* had logged it, and tell if it was wanted.

    Not by ``extra``, of which ``logging`` refuses names that it uses itself.
    """
    logger = logging.getLogger(place.module)
    if not logger.isEnabledFor(level):
        return False
    exc_info = None
    if raised is not None:
        exc_info = type(raised), raised, raised.__traceback__
    token = BOUND.set(bound_to(get_current(), {**fields_now(), **fields}))
    try:
        record = logger.makeRecord(
            logger.name,
            level,
            place.path,
            place.line,
            "%s: %s",
            args,
            exc_info,
            place.function,
        )
    finally:
        BOUND.reset(token)
    # For those who read the record's attributes, and where no record is stamped.
    for name, value in fields.items():
        vars(record).setdefault(name, value)
    logger.handle(record)
    return True


def _name(module: object) -> str:
    return module if isinstance(module, str) and module else _NO_MODULE
