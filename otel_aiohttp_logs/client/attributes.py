"""
Name and attributes of a call: pure functions of its method and URL.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_REQUEST_METHOD_ORIGINAL,
)
from opentelemetry.semconv.attributes.server_attributes import (
    SERVER_ADDRESS,
    SERVER_PORT,
)
from opentelemetry.semconv.attributes.url_attributes import URL_FULL

from otel_aiohttp_logs.request.attributes import redacted_query, span_name

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from yarl import URL

_MOST_CHARACTERS = 2048
_CREDENTIALS = re.compile(r"//[^/?#\s]*@")
_QUERY = re.compile(r"\?[^\s'\"]+")


def call_name(method: str) -> str:
    """Return the method, ``HTTP`` for an unknown one; a path has too many values."""
    return span_name(method, None)


def call_attributes(method: str, url: URL) -> dict[str, str | int]:
    """Return what is known before the call is made; of *url* without its secrets."""
    attributes: dict[str, str | int] = {
        HTTP_REQUEST_METHOD: method,
        URL_FULL: shown_url(url),
        SERVER_ADDRESS: url.host or "",
    }
    if url.port is not None:
        attributes[SERVER_PORT] = url.port
    if call_name(method) != method:
        attributes[HTTP_REQUEST_METHOD] = "_OTHER"
        attributes[HTTP_REQUEST_METHOD_ORIGINAL] = method[:_MOST_CHARACTERS]
    return attributes


def shown_url(url: URL) -> str:
    """Return *url* without credentials, values of the query, and fragment."""
    host = url.host_port_subcomponent or ""
    text = f"{url.scheme}://{host}{url.raw_path[:_MOST_CHARACTERS]}"
    query = url.raw_query_string
    return f"{text}?{redacted_query(query)}" if query else text


def without_secrets(message: str) -> str:
    """Return *message* without credentials and queries: aiohttp's may have a URL."""
    return _QUERY.sub("?REDACTED", _CREDENTIALS.sub("//", message))


def redirect_target(response: ClientResponse, url: URL) -> tuple[str, URL] | None:
    """
    Return method and URL of the call that aiohttp makes next, if it can make one.

    None if the answer is final. aiohttp may still refuse to go there.

    *url* is where *response* came from.
    """
    headers = response.headers
    location = headers.get("Location") or headers.get("URI")
    if not location:
        return None
    try:
        target = url.join(type(url)(location))
    except ValueError:
        return None
    method, status = response.method, response.status
    # As browsers do, and RFC 9110, section 15.4, lets them.
    if (status == 303 and method != "HEAD") or (
        status in {301, 302} and method == "POST"
    ):
        method = "GET"
    return method, target
