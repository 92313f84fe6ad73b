"""
The request in the context: one object for all of its work.

It stands in OpenTelemetry's context, which asyncio copies into each task and which we
carry into threads. Beside it stand the fields bound to the lines: see ``fields``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.context import Context, create_key
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from otel_aiohttp_logs.flat import Plain

REQUEST = create_key("otel_aiohttp_logs.request")
"""Of the ``RequestScope``; not there outside of any request."""
LONGEST_AFTER = 900.0
"""
Seconds after its end for which a line still belongs to a request.

Work that a request began and that never ends, such as a worker's, is nobody's then.
"""


class RequestScope:
    """What all work for one request shares."""

    __slots__ = ("bound", "ended", "known", "request_id", "span", "tracer")

    def __init__(
        self, request_id: str, span: Span, tracer: Tracer | None = None
    ) -> None:
        self.request_id = request_id
        self.span = span
        """The request's own; the current one may be a child of it."""
        self.tracer = tracer
        """Whose span that is: what makes its children."""
        self.bound: dict[str, Plain] = {}
        """Whatever was bound in any of its tasks: for its event and its span."""
        self.ended: float | None = None
        """Seconds since the epoch, None while the request is being served."""
        self.known: tuple[object, object] | None = None
        """The ids of its lines as text and as numbers, once the first was written."""


# The API doesn't name the key under which its current span stands.
(SPAN,) = set_span_in_context(INVALID_SPAN, Context())


def request_context(context: Context, scope: RequestScope) -> Context:
    """Return *context* for all work for the request, whose span is current there."""
    # In one step: set_value() copies the context for each key.
    return Context({**context, SPAN: scope.span, REQUEST: scope})


def request_in(context: Context) -> RequestScope | None:
    """Return the request that *context* belongs to, None if it left or outlived it."""
    scope: RequestScope | None = context.get(REQUEST)  # type: ignore[assignment]
    if scope is None or scope.ended is None:
        return scope
    return scope if time.time() - scope.ended < LONGEST_AFTER else None
