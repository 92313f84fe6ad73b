"""What a call's span says of its URL and method."""

from __future__ import annotations

import pytest
from yarl import URL

from otel_aiohttp_logs.client.attributes import (
    call_attributes,
    call_name,
    without_secrets,
)


@pytest.mark.parametrize(
    ("url", "shown", "host", "port"),
    [
        ("http://stock", "http://stock/", "stock", 80),
        ("http://me:p%40ss@stock/", "http://stock/", "stock", 80),
        ("https://Stock/a%20b", "https://stock/a%20b", "stock", 443),
        ("http://me:secret@stock:8080/x#y", "http://stock:8080/x", "stock", 8080),
        ("http://[::1]:81/", "http://[::1]:81/", "::1", 81),
        ("http://s/?a=1&b=2&c", "http://s/?a=REDACTED&b=REDACTED&REDACTED", "s", 80),
        (f"http://s/{'x' * 9000}", f"http://s/{'x' * 2047}", "s", 80),
    ],
)
def test_the_url_without_its_secrets(url, shown, host, port):
    """Credentials, the values of the query, the fragment, and whatever is too long."""
    assert call_attributes("GET", URL(url)) == {
        "http.request.method": "GET",
        "url.full": shown,
        "server.address": host,
        "server.port": port,
    }


def test_a_method_that_nobody_knows():
    """It's ``_OTHER`` and ``HTTP``, so that names stay few, and stands beside."""
    attributes = call_attributes("BREW" * 1000, URL("http://s"))

    assert attributes["http.request.method"] == "_OTHER"
    assert attributes["http.request.method_original"] == ("BREW" * 1000)[:2048]
    assert (call_name("BREW"), call_name("PATCH")) == ("HTTP", "PATCH")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("400, url='http://s/a?b=c'", "400, url='http://s/a?REDACTED'"),
        ("host http://me:p@ss@s/a@b gone", "host http://s/a@b gone"),
        ("why? nobody knows", "why? nobody knows"),
    ],
)
def test_a_message_without_its_secrets(message, shown):
    """Whatever stands around them stays."""
    assert without_secrets(message) == shown
