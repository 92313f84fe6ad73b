"""What all tests share: the fake Collector, and a guard over logging's global state."""

from __future__ import annotations

import logging

import pytest
from export.collector import FakeCollector


@pytest.fixture
def collector():
    """A Collector that keeps what it gets, and misbehaves on request."""
    fake = FakeCollector()
    yield fake
    fake.close()


@pytest.fixture(autouse=True)
def _logging_untouched():
    """Every test leaves the global logging state as it found it."""
    root = logging.getLogger()
    before = logging.getLogRecordFactory(), list(root.handlers), root.level
    yield
    after = logging.getLogRecordFactory(), list(root.handlers), root.level

    assert after == before
