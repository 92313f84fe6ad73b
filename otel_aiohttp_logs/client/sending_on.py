"""
What a call carries of the request that it is made for, and to whom.

The trace and the baggage go in the formats of ``OTEL_PROPAGATORS``, the request's id
in ``X-Request-ID``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import get_current
from opentelemetry.trace import set_span_in_context

from otel_aiohttp_logs.request.request_id import RESPONSE_HEADER
from otel_aiohttp_logs.scope.request import request_in
from otel_aiohttp_logs.span.propagation import injector

if TYPE_CHECKING:
    from multidict import CIMultiDict
    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from yarl import URL

    from otel_aiohttp_logs.client.hosts import Allowed

_BAGGAGE = ("baggage", "uberctx-")  # W3C's, Jaeger's
_inject = injector()


class SendingOn:
    """Puts our headers on a call; those that the application set itself stay."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed

    def put(
        self, headers: CIMultiDict[str], url: URL, span: Span | None
    ) -> dict[str, str]:
        """
        Add to *headers* what the host of *url* may know, and return what was added.

        Without *span* it's the request's id only.
        """
        if not self._allowed(url):
            return {}
        context = get_current()
        added = {} if span is None else _trace_headers(headers, span, context)
        scope = request_in(context)
        if scope is not None:
            added[RESPONSE_HEADER] = scope.request_id
        added = {name: added[name] for name in added if name not in headers}
        headers.update(added)
        return added


def take_back(headers: CIMultiDict[str], added: dict[str, str]) -> None:
    """Take out what ``put`` added: aiohttp sends the same headers to the next host."""
    for name, value in added.items():
        if headers.get(name) == value:
            del headers[name]


def _trace_headers(
    headers: CIMultiDict[str], span: Span, context: Context
) -> dict[str, str]:
    carrier: dict[str, str] = {}
    _inject(carrier, set_span_in_context(span, context))
    baggage = {name: carrier[name] for name in carrier if name.startswith(_BAGGAGE)}
    # Half of ours and half of the application's would be nobody's trace. (What only
    # goes with a trace, as tracestate does, may be the application's own.)
    for name in carrier:
        if name in headers and name != "tracestate" and name not in baggage:
            return baggage
    return carrier
