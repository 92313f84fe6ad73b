"""
opentelemetry-instrumentation-aiohttp-server beside us: one span a request all the same.

Its middleware stands in each application that was made since it was switched on. Before
it does anything it asks whether its like is suppressed. While we serve the request
the answer is yes, to that middleware and to nobody else: what the application calls
underneath is instrumented as ever.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current
from opentelemetry.trace import SpanKind, get_current_span

from otel_aiohttp_logs.scope.request import request_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import Histogram
    from opentelemetry.trace import Span

_MODULE = "opentelemetry.instrumentation.aiohttp_server"
_QUESTION = "is_http_instrumentation_enabled"


class StepAside:
    """Owner of the middleware's question, which it finds in its own module."""

    def __init__(self) -> None:
        self._before: Callable[[], bool] | None = None
        self._ours: Callable[[], bool] | None = None

    def ensure(self) -> None:
        """Answer from now on, if somebody has imported it since."""
        before = getattr(sys.modules.get(_MODULE), _QUESTION, None)
        if before is None or before is self._ours:
            return
        self._before = before
        self._ours = lambda: not _serving() and before()
        setattr(sys.modules[_MODULE], _QUESTION, self._ours)

    def undo(self) -> None:
        module = sys.modules.get(_MODULE)
        if self._ours and getattr(module, _QUESTION, None) is self._ours:
            setattr(module, _QUESTION, self._before)
        self._before = self._ours = None


def is_met() -> bool:
    """Tell whether contrib's server instrumentation may be around at all."""
    return _MODULE in sys.modules


def old_duration() -> Histogram | None:
    """
    Return contrib's own histogram by its older name, if it has one.

    Dashboards may read it: it's not to end because its middleware steps aside.
    """
    module = sys.modules.get(_MODULE)
    return getattr(module, "duration_histogram_old", None)


def span_begun() -> Span | None:
    """
    Return the span that contrib's middleware began for this request already.

    Ours comes second where only a sub-application is instrumented by us.
    """
    span: Any = get_current_span()
    if not span.is_recording() or getattr(span, "kind", None) is not SpanKind.SERVER:
        return None
    # The SDK's spans call it the one thing, ours the other.
    scope = getattr(span, "instrumentation_scope", None) or getattr(span, "scope", None)
    return span if getattr(scope, "name", "") == _MODULE else None


def _serving() -> bool:
    scope = request_in(get_current())
    return scope is not None and scope.ended is None
