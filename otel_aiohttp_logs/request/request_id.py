"""The id of a request: made by us, or the caller's where the application trusts it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opentelemetry.context import get_current

from otel_aiohttp_logs.scope.request import request_in
from otel_aiohttp_logs.span.ids import new_request_id

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

RESPONSE_HEADER = "X-Request-ID"
# Long enough for every id in use; nothing that could end a header, a line or a URL.
_VALID = re.compile(r"[0-9A-Za-z._:+/=@-]{1,128}")


def request_id() -> str | None:
    """
    Return the id of the request that is being served, None outside of one.

    It is the same that ``request["request_id"]`` holds and that the response carries
    in ``X-Request-ID``. Tasks started while serving the request see it, too.
    """
    scope = request_in(get_current())
    return None if scope is None else scope.request_id


def id_for(headers: CIMultiDictProxy[str], trusted_header: str | None) -> str:
    """Return the caller's id if *trusted_header* brings one valid, else a new one."""
    if trusted_header is not None:
        values = headers.getall(trusted_header, ())
        if len(values) == 1 and _VALID.fullmatch(values[0]):
            return values[0]
    return new_request_id()
