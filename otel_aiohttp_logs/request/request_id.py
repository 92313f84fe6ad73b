"""The id of a request: made by us, or the caller's where the application trusts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import get_current

from otel_aiohttp_logs.scope.request import request_in
from otel_aiohttp_logs.span.ids import new_request_id

if TYPE_CHECKING:
    import re

    from multidict import CIMultiDictProxy

    from otel_aiohttp_logs.request.tally import Tally

RESPONSE_HEADER = "X-Request-ID"


def request_id() -> str | None:
    """
    Return the id of the request that is being served, None outside of one.

    It is the same that ``request["request_id"]`` holds and that the response carries
    in ``X-Request-ID``. Tasks started while serving the request see it, too.
    """
    scope = request_in(get_current())
    return None if scope is None else scope.request_id


class RequestIds:
    """
    Gives each request its id: the caller's where the application trusts a header.

    Without *trusted_header* each is made by us. A caller's that doesn't match
    *pattern*, or comes twice, is replaced, which is counted, and never shown.
    """

    def __init__(
        self, trusted_header: str | None, pattern: re.Pattern[str], tally: Tally
    ) -> None:
        self._header = trusted_header
        self._pattern = pattern
        self._tally = tally

    @property
    def makes_all(self) -> bool:
        """Whether no caller's is ever taken."""
        return self._header is None

    def id_for(self, headers: CIMultiDictProxy[str]) -> str:
        if self._header is not None:
            values = headers.getall(self._header, None)
            if values is not None:
                value = values[0]
                valid = value.isascii() and value.isprintable()
                if valid and len(values) == 1 and self._pattern.fullmatch(value):
                    return value
                self._tally.request_ids_replaced += 1
        return new_request_id()
