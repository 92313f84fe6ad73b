"""A propagator that isn't ours, as a format: an application's own, another vendor's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry.propagators.textmap import Getter

from otel_aiohttp_logs.span.formats import Format

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import TextMapPropagator

    from otel_aiohttp_logs.span.remote import Headers

_log = logging.getLogger("otel_aiohttp_logs")


class _HeaderGetter(Getter["Headers"]):
    """Lets the API's propagators read aiohttp's headers."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        return carrier.getall(key, None)

    def keys(self, carrier: Headers) -> list[str]:
        return list(carrier.keys())


_getter = _HeaderGetter()


def foreign(propagator: TextMapPropagator) -> Format:
    """
    Return *propagator* as a format that never raises.

    It says its first failure; the request goes on without what it would have read or
    written.
    """
    failed: list[bool] = []

    def read(headers: Headers, context: Context) -> Context:
        try:
            return propagator.extract(headers, context, getter=_getter)
        except Exception:  # noqa: BLE001 (said in the log)
            say()
            return context

    def write(carrier: MutableMapping[str, str], context: Context) -> None:
        try:
            propagator.inject(carrier, context)
        except Exception:  # noqa: BLE001 (said in the log)
            say()

    def say() -> None:
        if not failed:
            failed.append(True)
            name = type(propagator).__qualname__
            _log.warning("propagator_failed", exc_info=True, extra={"propagator": name})

    return Format(read, write, frozenset(propagator.fields))
