from __future__ import annotations

import io
import logging

import pytest


@pytest.fixture
def output():
    return io.StringIO()


@pytest.fixture
def logger_with(output):
    """Return a function that makes a logger of its own with a formatter."""

    def make(formatter, name="shop"):
        handler = logging.StreamHandler(output)
        handler.setFormatter(formatter)
        logger = logging.Logger(name)  # noqa: LOG001 - no part of logging's tree
        logger.addHandler(handler)
        return logger

    return make
