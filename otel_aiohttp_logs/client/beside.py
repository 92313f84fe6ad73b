"""
Other instrumentations of the same call: one CLIENT span, whoever is there.

OpenTelemetry's own, ``opentelemetry-instrumentation-aiohttp-client``, puts its
``TraceConfig`` at the end of each session's. We come first then, and take over: it
asks the context whether it may, and we say no for as long as the call lasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import (
    _SUPPRESS_HTTP_INSTRUMENTATION_KEY,
    _SUPPRESS_INSTRUMENTATION_KEY,
    attach,
    detach,
    get_current,
    set_value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import TraceConfig

_KEYS = (
    _SUPPRESS_HTTP_INSTRUMENTATION_KEY,
    _SUPPRESS_INSTRUMENTATION_KEY,
    "suppress_instrumentation",
)
_CONTRIB = "opentelemetry.instrumentation.aiohttp_client"


class TakenOver:
    """
    The reason why others make no span of this call; true while it lasts.

    Not only undone, but false at the end: another ``TraceConfig`` that attaches a
    context at the start may put ours back after we're through.
    """

    def __init__(self) -> None:
        self._lasts = True
        self._token = attach(set_value(_SUPPRESS_HTTP_INSTRUMENTATION_KEY, self))

    def __bool__(self) -> bool:
        return self._lasts

    def end(self) -> None:
        self._lasts = False
        # Not from the context of somebody who closes our coroutine.
        if get_current().get(_SUPPRESS_HTTP_INSTRUMENTATION_KEY) is self:
            detach(self._token)


def suppressed() -> bool:
    """Tell whether there is to be no span: exporters say so of their own calls."""
    context = get_current()
    for key in _KEYS:
        value = context.get(key)
        if value and not isinstance(value, TakenOver):
            return True
    return False


def first_of_contribs(configs: Sequence[TraceConfig]) -> int | None:
    """Return where among *configs* the first of OpenTelemetry's own stands."""
    for place, config in enumerate(configs):
        for handler in config.on_request_start:
            if getattr(handler, "__module__", "").startswith(_CONTRIB):
                return place
    return None
