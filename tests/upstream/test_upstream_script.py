"""``scripts/upstream-tests``: what it says, and that it trusts nothing but the hash."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fetch(tmp_path):
    """Return a function that runs a copy of the script, with a cache of its own."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "dev.txt", tmp_path / "requirements")

    def run(*arguments, python=sys.executable):
        return subprocess.run(
            [str(tmp_path / "scripts" / "upstream-tests"), *arguments],
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHON": python,
                "OTEL_AIOHTTP_LOGS_CACHE": str(tmp_path / "cache"),
                # An index without any file: nothing leaves this machine.
                "PIP_NO_INDEX": "1",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def pinned():
    lines = (ROOT / "requirements" / "dev.txt").read_text().splitlines()
    (version,) = (line.split()[0] for line in lines if line.startswith("aiohttp=="))
    return version.removeprefix("aiohttp==")


def test_there_already(fetch, tmp_path):
    """What is in the cache isn't fetched again."""
    folder = tmp_path / "cache" / f"aiohttp-{pinned()}-tests"
    (folder / "tests").mkdir(parents=True)
    said = fetch()

    assert (said.returncode, said.stdout) == (0, f"{folder}\n")


def test_not_to_be_had(fetch, tmp_path):
    """It says that pip failed, after what pip said, and leaves nothing in the cache."""
    said = fetch()

    assert said.returncode == 1
    assert "No matching distribution found for aiohttp==" in said.stderr
    assert said.stderr.splitlines()[-1] == (
        f"scripts/upstream-tests: pip could not fetch the sdist of aiohttp {pinned()}: "
        "what it said stands above"
    )
    assert list((tmp_path / "cache").iterdir()) == []


def test_wrong_calls(fetch):
    """An argument that it doesn't know, and a Python that isn't there, are named."""
    usage, python = fetch("--all"), fetch(python="/nowhere/python")

    assert usage.returncode == python.returncode == 1
    assert usage.stderr.startswith("scripts/upstream-tests\n")
    assert python.stderr == (
        "scripts/upstream-tests: there is no /nowhere/python: run scripts/venv dev, or "
        "set PYTHON\n"
    )
