"""Where aiohttp's own tests are, for the aiohttp that runs."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import pytest

_NEEDED = ("blockbuster", "pytest_mock", "trustme")


def aiohttp_tests() -> Path:
    """Return the folder that has ``tests/``, or skip with the remedy."""
    folder = _cache() / f"aiohttp-{aiohttp.__version__}-tests"
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        _not_run(f"aiohttp's own tests need {', '.join(missing)}: run scripts/venv dev")
    if not (folder / "tests").is_dir():
        _not_run(
            f"aiohttp {aiohttp.__version__}'s own tests: run scripts/upstream-tests"
        )
    return folder


def _not_run(why: str) -> None:
    if os.environ.get("TESTS_REQUIRE_BACKENDS") == "1":
        pytest.fail(f"{why} (TESTS_REQUIRE_BACKENDS=1)", pytrace=False)
    pytest.skip(why)


def _cache() -> Path:
    """The same folder as in scripts/upstream-tests and scripts/backends."""
    named = os.environ.get("OTEL_AIOHTTP_LOGS_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(base) / "otel-aiohttp-logs"
