"""The judge of the metrics sees what is wrong, and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from stack_check.check_metrics import counted, measured_in, wrong_counts

ROUTE = 'http_request_method="POST",http_route="/orders/{number}"'
PROMETHEUS = f"""\
# HELP http_server_request_duration_seconds Duration of HTTP server requests.
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{{job="demo/shop",{ROUTE},le="0.1"}} 1
http_server_request_duration_seconds_sum{{job="demo/shop",{ROUTE}}} 0.5
http_server_request_duration_seconds_count{{error_type="500",job="demo/shop",{ROUTE}}} 1
http_server_request_duration_seconds_count{{job="demo/shop",{ROUTE}}} 2
http_server_request_duration_seconds_count{{http_route="/healthz",job="demo/shop"}} 9
http_server_request_duration_seconds_count{{{ROUTE},job="stock"}} 1
http_client_request_duration_seconds_count{{job="demo/shop",server_port="8080"}} 1
http_server_active_requests{{job="demo/shop"}} 0
http_server_active_requests{{job="stock"}} 0
otelcol_process_uptime 12
"""
EVENTS = Counter(
    {("shop", "POST", "/orders/{number}"): 3, ("stock", "POST", "/orders/{number}"): 1}
)


def test_counts_of_a_route():
    """All series of a route are added up; health checks and buckets are none of it."""
    found = measured_in(PROMETHEUS)

    assert found.served == EVENTS
    assert found.called == {"shop": 1}
    assert found.active == {"shop": 0, "stock": 0}
    assert wrong_counts(found, EVENTS) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("} 2\n", "} 3\n", "shop POST /orders/{number}: 4 by its metric, 3 by its"),
        ("/healthz", "/x", "shop ? /x: 9 by its metric, 0 by its events"),
        ("/orders/", "/o/", "shop POST /o/{number}: 3 by its metric, 0 by its events"),
        ("http_client", "none", "calls: {}, and stock was asked 1 times"),
        ('"stock"} 0', '"stock"} 1', "in progress: {'shop': 0, 'stock': 1}"),
        ("http_server_active", "none", "in progress: {}"),
    ],
)
def test_wrong_counts(old, new, said):
    """A count that differs, or that isn't there, is named."""
    assert old in PROMETHEUS

    assert wrong_counts(measured_in(PROMETHEUS.replace(old, new)), EVENTS)[
        0
    ].startswith(said)


def test_counts_of_events():
    """Events are counted by what the histograms are counted by."""
    fields = {"http.request.method": "POST", "http.route": "/orders/{number}"}
    lines = [{**fields, "service.name": name} for name in ("shop", "shop", "stock")]

    assert counted([*lines, {"service.name": "shop"}]) == {
        ("shop", "POST", "/orders/{number}"): 2,
        ("stock", "POST", "/orders/{number}"): 1,
        ("shop", "?", "?"): 1,
    }
