"""Services to ask, one for each environment, and how many cases each format passed."""

from __future__ import annotations

from collections import Counter

import pytest
from conformance import Service

_passed = pytest.StashKey[Counter]()
_all = pytest.StashKey[Counter]()


@pytest.fixture(scope="session")
def service():
    """
    Return the service of an environment: ``service(OTEL_PROPAGATORS="b3")``.

    Each is started when it's first asked for, and serves until the end of the session.
    """
    running = {}

    def with_variables(**variables):
        key = frozenset(variables.items())
        if key not in running:
            running[key] = Service(**variables)
        return running[key]

    yield with_variables
    for each in running.values():
        each.close()


@pytest.fixture
def served(service, pipeline):
    """The service with the default formats, each way out."""
    return service(
        OTEL_PROPAGATORS="tracecontext,baggage", OTEL_AIOHTTP_LOGS_PIPELINE=pipeline
    )


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "conformance(format): a case of a format's specification, counted"
    )
    config.stash[_passed], config.stash[_all] = Counter(), Counter()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    marker = item.get_closest_marker("conformance")
    if marker is not None and report.when == "call":
        params = item.callspec.params if hasattr(item, "callspec") else {}
        sdk = params.get("pipeline") == "sdk"
        name = f"{marker.args[0]}{', through the SDK' if sdk else ''}"
        item.config.stash[_all][name] += 1
        item.config.stash[_passed][name] += report.passed
    return report


def pytest_terminal_summary(terminalreporter):
    stash = terminalreporter.config.stash
    if stash[_all]:
        terminalreporter.section("conformance")
        for name, number in sorted(stash[_all].items()):
            terminalreporter.write_line(
                f"{name}: {stash[_passed][name]} of {number} cases"
            )
