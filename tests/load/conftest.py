"""The figures of the load, at the end of the run."""

from __future__ import annotations

import pytest

_tables = pytest.StashKey[list[list[str]]]()


@pytest.fixture
def table(request):
    """Return a function that puts lines into the summary at the end of the run."""
    return request.config.stash.setdefault(_tables, []).append


def pytest_terminal_summary(terminalreporter):
    for lines in sorted(terminalreporter.config.stash.get(_tables, [])):
        terminalreporter.section("lines under load")
        for line in lines:
            terminalreporter.write_line(line)
