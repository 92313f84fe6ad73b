"""aiohttp's own client tests, run with our trace config in each session and without."""

from __future__ import annotations

import json

from aiohttp_found import aiohttp_tests
from aiohttp_run import compare

CLIENT_TESTS = [
    "test_client_functional.py",
    "test_client_middleware.py",
    "test_client_middleware_digest_auth.py",
    "test_client_session.py",
    "test_client_ws.py",
    "test_client_ws_functional.py",
    "test_proxy_functional.py",
    "test_tracing.py",
]
_HEADERS = "it compares all headers that a signal is given, and traceparent is one more"
_SESSION = "tests/test_client_session.py"
# Test -> why it may end differently.
CLIENT_EXCEPTIONS = {
    f"{_SESSION}::test_request_tracing[pyloop]": _HEADERS,
    f"{_SESSION}::test_request_tracing_exception": _HEADERS,
}
# What a failed test leaves open is noticed in another one's time.
_FOLLOWING = {f"{_SESSION}::test_request_tracing_interpose_headers[pyloop]"}


def test_each_session_with_our_config(tmp_path, figure):
    """
    Each test ends as without us, and each call's span has ended at the end: all but
    those of redirects that aiohttp did not follow after all.
    """
    tests = [f"tests/{name}" for name in CLIENT_TESTS]
    calls = tmp_path / "calls.json"
    env = {"CALLS": str(calls), "PROPAGATE": "everywhere"}
    found = compare(aiohttp_tests(), tests, "plugin_client", tmp_path / "runs", env)
    counted = json.loads(calls.read_text().splitlines()[0])
    figure(
        f"sessions with our config: {len(found.ours)} tests run, "
        f"{len(found.different)} end differently, {counted['begun']} spans begun, "
        f"{counted['ended']} ended, {len(counted['open'])} never sent"
    )

    assert found.different.keys() - _FOLLOWING == CLIENT_EXCEPTIONS.keys(), found.output
    assert len(found.plain) > 500
    assert counted["failures"] == []
    assert counted["begun"] - counted["ended"] == len(counted["open"])
    assert all("http.request.resend_count" in span for span in counted["open"])


def test_each_session_with_our_config_that_sends_nothing(tmp_path, figure):
    """Where no header is sent on, there's no test that can tell."""
    calls = tmp_path / "calls.json"
    env = {"CALLS": str(calls), "PROPAGATE": "nowhere"}
    tests = [_SESSION, "tests/test_tracing.py"]
    found = compare(aiohttp_tests(), tests, "plugin_client", tmp_path / "runs", env)
    figure(
        f"sessions with our config, nothing sent on: {len(found.ours)} tests run, "
        f"{len(found.different)} end differently"
    )

    assert found.different == {}, found.output
    assert len(found.plain) > 100
