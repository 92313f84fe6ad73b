"""The matrix: printed at the end of the run, a line for each row."""

from __future__ import annotations

import platform

import pytest
from interop_rows import ROWS

_matrix = pytest.StashKey[dict[str, str]]()
COLUMNS = ("requests", "server spans", "lines", "doubled", "ids equal")


@pytest.fixture
def matrix(request):
    """Return a function that puts a row's figures into the summary."""
    rows = request.config.stash.setdefault(_matrix, {})

    def put(name, *figures):
        rows[name] = "".join(f"{figure!s:>14}" for figure in figures)

    return put


def pytest_terminal_summary(terminalreporter):
    rows = terminalreporter.config.stash.get(_matrix, {})
    if not rows:
        return
    version = platform.python_version()
    terminalreporter.section(f"together with OpenTelemetry's own, Python {version}")
    heads = "".join(f"{column:>14}" for column in COLUMNS)
    terminalreporter.write_line(f"{'':34}{heads}")
    for row in ROWS:  # as they stand there, whatever the order of the run
        if row.name in rows:
            terminalreporter.write_line(f"{row.name:34}{rows[row.name]}")
