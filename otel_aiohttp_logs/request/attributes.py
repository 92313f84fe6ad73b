"""
Attributes and name of a request's span: pure functions of the request.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from opentelemetry.semconv.attributes.client_attributes import CLIENT_ADDRESS
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_REQUEST_METHOD_ORIGINAL,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.server_attributes import (
    SERVER_ADDRESS,
    SERVER_PORT,
)
from opentelemetry.semconv.attributes.url_attributes import (
    URL_PATH,
    URL_QUERY,
    URL_SCHEME,
)
from opentelemetry.semconv.attributes.user_agent_attributes import USER_AGENT_ORIGINAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import HttpVersion, web

METHODS = frozenset(
    {
        "CONNECT",
        "DELETE",
        "GET",
        "HEAD",
        "OPTIONS",
        "PATCH",
        "POST",
        "PUT",
        "QUERY",
        "TRACE",
    }
)
_OTHER = "_OTHER"
# A caller's text is as long as the caller likes: a span needn't carry all of it.
_MOST_CHARACTERS = 2048
_HOST = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^:\[\]@/\s]+)(?::([0-9]{1,5}))?")


def span_name(method: str, route: str | None) -> str:
    """
    Return ``{method} {route}``, or only the method where no route matched.

    Never the path: ``/users/1``, ``/users/2``, … are as many names as users.
    """
    known = method if method in METHODS else "HTTP"
    return known if route is None else f"{known} {route}"


def route_of(request: web.Request) -> str | None:
    """Return the route's template, such as ``/users/{id}``; None on a 404 or 405."""
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical


def request_attributes(
    request: web.Request, route: str | None
) -> dict[str, str | int | float]:
    """
    Return what is known before the handler runs.

    ``request.url`` and ``request.host`` are never asked: a ``Host`` that is no host
    makes the one raise, a missing one makes the other look up a name.
    """
    method = request.method
    url = request.rel_url
    attributes: dict[str, str | int | float] = {
        HTTP_REQUEST_METHOD: method,
        URL_PATH: url.raw_path[:_MOST_CHARACTERS],
        URL_SCHEME: request.scheme,
        NETWORK_PROTOCOL_VERSION: version_of(request.version),
    }
    if method not in METHODS:
        attributes[HTTP_REQUEST_METHOD] = _OTHER
        attributes[HTTP_REQUEST_METHOD_ORIGINAL] = method[:_MOST_CHARACTERS]
    if route is not None:
        attributes[HTTP_ROUTE] = route
    query = url.raw_query_string
    if query:
        attributes[URL_QUERY] = redacted_query(query)
    remote = request.remote
    if remote:
        attributes[CLIENT_ADDRESS] = remote
    headers = request.headers
    agent = headers.get("User-Agent")
    if agent:
        attributes[USER_AGENT_ORIGINAL] = agent[:_MOST_CHARACTERS]
    host = headers.get("Host")
    if host:
        attributes.update(server_address(host))
    return attributes


@lru_cache(maxsize=16)
def version_of(version: HttpVersion) -> str:
    return f"{version.major}.{version.minor}"


@lru_cache(maxsize=128)  # nearly all requests come to a few hosts
def server_address(host: str) -> Mapping[str, str | int]:
    """Return address and port of a ``Host`` header, without what is invalid."""
    match = _HOST.fullmatch(host)
    if match is None:
        return {}
    address: dict[str, str | int] = {SERVER_ADDRESS: match[1][:255].strip("[]")}
    if match[2] and 0 < int(match[2]) < 65536:
        address[SERVER_PORT] = int(match[2])
    return address


def redacted_query(query: str) -> str:
    """Return *query* with its names only: the values may be secrets."""
    names = (pair.partition("=") for pair in query[:_MOST_CHARACTERS].split("&"))
    # A part without "=" is no name: it may be a token, whole.
    return "&".join(
        f"{name}=REDACTED" if equals else "REDACTED" for name, equals, _ in names
    )
