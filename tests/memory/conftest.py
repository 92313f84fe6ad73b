"""The figures of the runs, said at the end."""

from __future__ import annotations

import pytest

_figures = pytest.StashKey[list[str]]()


@pytest.fixture
def figure(request):
    """Return a function that puts a line into the summary at the end of the run."""
    return request.config.stash.setdefault(_figures, []).append


def pytest_terminal_summary(terminalreporter):
    figures = terminalreporter.config.stash.get(_figures, [])
    if figures:
        terminalreporter.section("what is left in memory")
        for line in figures:
            terminalreporter.write_line(line)
