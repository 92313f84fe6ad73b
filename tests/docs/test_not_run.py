"""What ``scripts/test`` says of tests that were not run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PLUGIN = Path(__file__).parents[2] / "scripts" / "test.d"
TESTS = """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_one(number):
    pytest.skip("no Jaeger is here: run scripts/backends")

@pytest.mark.skipif(True, reason="Linux only: run it on Linux")
def test_two():
    pass

def test_three():
    pass
"""


def summary(tests, tmp_path):
    (tmp_path / "test_some.py").write_text(tests)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "not_run", "-r", "fE"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PLUGIN)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return [line for line in run.stdout.splitlines() if line]


def test_each_reason_once(tmp_path):
    """Each reason stands there once, with its remedy and how many tests it is of."""
    lines = summary(TESTS, tmp_path)

    heading = next(i for i, line in enumerate(lines) if "not run: 4 tests" in line)
    assert lines[heading + 1 : heading + 3] == [
        "   3 x  no Jaeger is here: run scripts/backends",
        "   1 x  Linux only: run it on Linux",
    ]
    assert "1 passed, 4 skipped" in lines[-1]


def test_nothing_to_say(tmp_path):
    """Where all tests ran, nothing is said."""
    lines = summary("def test_one(): pass", tmp_path)

    assert not [line for line in lines if "not run" in line]
