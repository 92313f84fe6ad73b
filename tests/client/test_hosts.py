"""``propagate_to``: names of hosts, and what is none."""

from __future__ import annotations

import pytest
from yarl import URL

from otel_aiohttp_logs import client_trace_config
from otel_aiohttp_logs.client.hosts import allowed_hosts


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ("stock.example.com", "'stock.example.com'"),
        (["http://stock"], "'http://stock'"),
        (["stock:8080"], "'stock:8080'"),
        (["stock/x"], "'stock/x'"),
        (["*"], r"'\*'"),
        (["a.*.com"], r"'a\.\*\.com'"),
        (["a..b"], r"'a\.\.b'"),
        ([""], "''"),
        (["."], r"'\.'"),
        ([7], "7"),
        (7, "7"),
        (["a b"], "'a b'"),
        (["[::1"], r"'\[::1'"),
    ],
)
def test_what_is_no_host_is_refused(wrong, shown):
    """At once, with the value and what to write instead."""
    with pytest.raises(ValueError, match=f"propagate_to is {shown}: write a list of"):
        client_trace_config(propagate_to=wrong)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("[::1]", "http://[::1]:80/"),
        ("::1", "http://[::1]/"),
        ("0:0:0:0:0:0:0:1", "http://[::1]/"),
        ("bücher.example", "http://bücher.example/"),
        ("bücher.example", "http://xn--bcher-kva.example/"),
        ("a_b.example", "http://A_B.example./"),
    ],
)
@pytest.mark.parametrize("encoded", [False, True])
def test_other_ways_to_write_a_host(name, url, encoded):
    """A name is compared as it stands in a URL."""
    assert allowed_hosts([name])(URL(url, encoded=encoded and url.isascii()))
    assert not allowed_hosts([name])(URL("http://other.example/"))
