"""``bind`` and ``bound``: fields that belong to the request, or to a block of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import get_current

from otel_aiohttp_logs.scope.block import Block, Run
from otel_aiohttp_logs.scope.fields import MOST_BOUND, add, enter, leave
from otel_aiohttp_logs.scope.given import safe_fields, set_attributes
from otel_aiohttp_logs.scope.request import request_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_aiohttp_logs.flat import Plain
    from otel_aiohttp_logs.scope.request import RequestScope


def bind(**fields: object) -> None:
    """
    Add *fields* to all later lines of this request, to its access event and its span.

    The lines are those of the task that calls it, also after the handler has returned,
    and of the tasks and threads that it starts later. A task that binds the same name
    has its own value on its lines; the event and the span have the one that was bound
    last. Outside of any request, as in a worker, the fields are on the lines alone.

    Values are copied now, and bounded. It never raises.
    """
    safe = safe_fields(fields)
    request = request_in(get_current())
    add(request, safe)
    if request is not None:
        _remember(request, safe)
        set_attributes(request.span, safe)


def _remember(request: RequestScope, fields: Mapping[str, Plain]) -> None:
    bound = request.bound
    if len(bound) + len(fields) <= MOST_BOUND:
        bound.update(fields)
        return
    for name, value in fields.items():
        if name in bound or len(bound) < MOST_BOUND:
            bound[name] = value


def bound(**fields: object) -> BoundBlock:
    """
    Add *fields* to the lines of a ``with`` block, and to the spans of its steps.

    Also of a function, as its decorator. They are neither on the request's event nor
    on its span. Afterwards the lines are as before, but what ``bind`` was called with
    inside of the block stays.
    """
    return BoundBlock(safe_fields(fields))


class BoundBlock(Block):
    """See ``bound``."""

    def __init__(self, fields: Mapping[str, Plain]) -> None:
        super().__init__()
        self._fields = fields

    def _begin(self, _: object) -> Run:
        return _BoundRun(self._fields)


class _BoundRun(Run):
    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Plain]) -> None:
        self._fields = fields

    def resume(self) -> None:
        enter(self, request_in(get_current()), self._fields)

    def suspend(self) -> None:
        leave(self)
