"""A pytest plugin: how each test ended, as one JSON object in the file RESULTS."""

from __future__ import annotations

import json
import os
from pathlib import Path

_ended = {}


def pytest_runtest_logreport(report):
    """The worst of set-up, call and tear-down counts."""
    if report.outcome != "passed":
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        _ended[report.nodeid] = outcome
    elif report.when == "call":
        _ended.setdefault(report.nodeid, "passed")


def pytest_unconfigure():
    Path(os.environ["RESULTS"]).write_text(json.dumps(_ended))
