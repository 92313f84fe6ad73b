"""
The one wide event of a request: all that is known of it, in a single log record.

Names are those of the semantic conventions where they have one; ``duration`` and
``time_to_first_byte`` are seconds, ``http.response.size`` is in bytes with headers.
"""

from __future__ import annotations

import logging
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.url_attributes import URL_PATH

from otel_aiohttp_logs.record.access import ACCESS_LOGGER
from otel_aiohttp_logs.record.twins import make_event
from otel_aiohttp_logs.scope.fields import bound_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.context import Context

    from otel_aiohttp_logs.flat import Plain
    from otel_aiohttp_logs.request.outcome import Outcome

_LEVELS = {
    "ok": logging.INFO,
    "disconnected": logging.INFO,
    "cancelled": logging.WARNING,
    "client_error": logging.WARNING,
}


class Events:
    """Writes the event of each request that somebody wants to see."""

    def __init__(
        self,
        *,
        wants: Callable[[int], bool],
        write: Callable[[logging.LogRecord], object],
        write_plain: Callable[[str, int, Mapping[str, Plain], Context], bool],
        quiet_routes: Sequence[str],
        only_if_unsaid: bool,
    ) -> None:
        self.wants = wants
        self._write = write
        self.write_plain = write_plain
        self.quiet_routes = quiet_routes
        self.only_if_unsaid = only_if_unsaid
        """Write events only of those requests of which aiohttp writes no line."""

    def level(self, outcome: Outcome, attributes: Mapping[str, object]) -> int | None:
        """Return the level of a request's event, None if nobody wants to see it."""
        level = _LEVELS.get(outcome.name, logging.ERROR)
        if outcome.name == "ok" and self.quiet_routes:
            asked = attributes.get(HTTP_ROUTE) or attributes.get(URL_PATH, "")
            if any(fnmatchcase(str(asked), route) for route in self.quiet_routes):
                level = logging.DEBUG
        return level if self.wants(level) else None

    def write(
        self,
        level: int,
        outcome: Outcome,
        attributes: Mapping[str, str | int | float],
        bound: Mapping[str, Plain],
        context: Context,
    ) -> None:
        """
        Write the event of a request.

        It has its *attributes*, what *outcome* adds, and the fields *bound* to it; one
        that is named like one of the others goes out as ``extra.<name>``.
        """
        status, error_type = outcome.status, outcome.error_type
        method, path = attributes[HTTP_REQUEST_METHOD], attributes.get(URL_PATH, "-")
        text = f"{method} {path} {outcome.name if status is None else status}"
        said: dict[str, Plain] = {**attributes}
        if status is not None:
            said[HTTP_RESPONSE_STATUS_CODE] = status
        if error_type is not None:
            said[ERROR_TYPE] = error_type
        said["outcome"] = outcome.name
        # Where nobody else hears it, there need be no record.
        if not bound and self.write_plain(text, level, said, context):
            return
        record = make_event(ACCESS_LOGGER, level, __file__, 0, text, (), None)
        fields = vars(record)
        fields.update(said)
        named = {f"extra.{k}" if k in fields else k: v for k, v in bound.items()}
        record.remember(context, bound=bound_to(context, named) if named else None)
        self._write(record)
