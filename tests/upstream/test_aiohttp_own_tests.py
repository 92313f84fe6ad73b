"""
aiohttp's own functional tests, run with each application instrumented and without us.

``scripts/upstream-tests`` gets them. They end alike, but for the few below.
"""

from __future__ import annotations

import pytest
from aiohttp_found import aiohttp_tests
from aiohttp_run import compare

SERVER_TESTS = [
    "test_client_functional.py",
    "test_client_middleware.py",
    "test_client_ws_functional.py",
    "test_classbasedview.py",
    "test_formdata.py",
    "test_run_app.py",
    "test_test_utils.py",
    "test_urldispatch.py",
    "test_web_app.py",
    "test_web_exceptions.py",
    "test_web_functional.py",
    "test_web_log.py",
    "test_web_middleware.py",
    "test_web_request.py",
    "test_web_response.py",
    "test_web_runner.py",
    "test_web_sendfile_functional.py",
    "test_web_server.py",
    "test_web_urldispatcher.py",
    "test_web_websocket_functional.py",
    "test_worker.py",
]
_HEADERS = "it compares all headers of a response, and X-Request-ID is one more"
# Test -> why it may end differently.
SERVER_EXCEPTIONS = {
    "tests/test_client_functional.py::test_raw_headers[pyloop]": _HEADERS,
    "tests/test_client_functional.py::test_empty_header_values[pyloop]": _HEADERS,
}
_ITS_CONTENT = "it looks at what a new application has inside, and ours has more"
EVERYWHERE_EXCEPTIONS = {
    "tests/test_web_app.py::test_appkey": _ITS_CONTENT,
    "tests/test_web_app.py::test_app_iter": _ITS_CONTENT,
    "tests/test_web_app.py::test_app_run_middlewares": _ITS_CONTENT,
}


@pytest.fixture
def env(collector):
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}


def test_each_application_instrumented(collector, env, tmp_path, figure):
    """
    Each test of aiohttp's that serves an application ends as without us, and the
    requests of them all are exported.
    """
    tests = [f"tests/{name}" for name in SERVER_TESTS]
    found = compare(aiohttp_tests(), tests, "plugin_server", tmp_path / "runs", env)
    served = [span for span in collector.spans if span.proto.kind == 2]
    figure(
        f"applications instrumented: {len(found.ours)} tests run, "
        f"{len(found.different)} end differently, {len(served)} requests exported"
    )

    assert found.different.keys() == SERVER_EXCEPTIONS.keys(), found.output
    assert len(found.plain) > 1000
    assert len(served) > 1000


def test_each_application_instrumented_as_it_is_made(env, tmp_path, figure):
    """As above, with all sub-applications and those that are never served."""
    names = [n for n in SERVER_TESTS if n.startswith(("test_web", "test_url"))]
    tests = [f"tests/{name}" for name in names]
    found = compare(aiohttp_tests(), tests, "plugin_everywhere", tmp_path / "runs", env)
    figure(
        f"applications instrumented as they are made: {len(found.ours)} tests run, "
        f"{len(found.different)} end differently"
    )

    assert found.different.keys() == EVERYWHERE_EXCEPTIONS.keys(), found.output
    assert len(found.plain) > 500
