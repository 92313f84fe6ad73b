"""Which of the real programs are there, and what happens to a test when one is not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Found(NamedTuple):
    paths: dict[str, Path]
    """By the program's name: ``otelcol``, ``jaeger``, ``victoria-logs``."""
    remedy: str
    """What ``scripts/backends`` says of those that are missing."""


def found_backends() -> Found:
    said = subprocess.run(
        [str(ROOT / "scripts" / "backends"), "--find"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line.split(maxsplit=2) for line in said.stdout.splitlines()]
    remedy = said.stderr.strip().splitlines() or [f"exit code {said.returncode}"]
    return Found({name: Path(path) for name, _, path in lines}, remedy[-1])


def missing(what: str) -> None:
    """
    Skip the test, or fail it where ``TESTS_REQUIRE_BACKENDS=1`` forbids to skip.
    """
    if os.environ.get("TESTS_REQUIRE_BACKENDS") == "1":
        pytest.fail(f"{what} (TESTS_REQUIRE_BACKENDS=1)", pytrace=False)
    pytest.skip(what)
