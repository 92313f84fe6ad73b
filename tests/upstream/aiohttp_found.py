"""Where aiohttp's own tests are, for the aiohttp that runs."""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp
import pytest


def aiohttp_tests() -> Path:
    """Return the folder that has ``tests/``, or skip with the remedy."""
    folder = _cache() / f"aiohttp-{aiohttp.__version__}-tests"
    if not (folder / "tests").is_dir():
        msg = f"aiohttp {aiohttp.__version__}'s own tests: run scripts/upstream-tests"
        if os.environ.get("TESTS_REQUIRE_BACKENDS") == "1":
            pytest.fail(msg)
        pytest.skip(msg)
    return folder


def _cache() -> Path:
    """The same folder as in scripts/upstream-tests and scripts/backends."""
    named = os.environ.get("OTEL_AIOHTTP_LOGS_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(base) / "otel-aiohttp-logs"
