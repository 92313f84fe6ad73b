"""The recipes of docs/recipes.md, each run as it stands, with the real package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = (ROOT / "docs" / "recipes.md").read_text()
BLOCK = re.compile(
    r"<!-- recipe: (\S+)(?: after (\S+))? -->\n```python\n(.*?)```", re.DOTALL
)
UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


def recipes():
    found = {}
    for name, before, code in BLOCK.findall(PAGE):
        found[name] = found.get(before, "") + code
    return found


@pytest.fixture
def shown(collector):
    """Run a recipe, and return the lines on stdout that say whose they are."""

    def run(name):
        package = name.partition("-")[0].replace("debug", "logging")
        pytest.importorskip(package, reason=f"pip install {package}")
        done = subprocess.run(
            [sys.executable, str(HERE / "recipe_shop.py")],
            input=recipes()[name],
            env=os.environ
            | {
                "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        lines = done.stdout.splitlines()
        return [line for line in lines if "bought tea" in line or "paid tea" in line]

    return run


def ids_of(line):
    """The ids that a line says, the one in its text first."""
    (in_text,) = re.findall(rf"tea\d ({UUID})", line)
    rest = line.replace(f" {in_text}", "", 1)
    return in_text, re.findall(UUID, rest)


@pytest.mark.parametrize(
    "name",
    [
        "structlog",
        "structlog-print",
        "structlog-formatter",
        "loguru",
        "loguru-to-logging",
        "loguru-intercepts",
    ],
)
def test_lines_on_stdout(shown, name):
    """Each has its request's ids, in a thread of the request, too, and stands once."""
    lines = shown(name)

    assert len(lines) == 20
    for line in lines:
        in_text, in_fields = ids_of(line)
        assert in_fields == [in_text], line
        assert re.search(r"\b[0-9a-f]{32}\b", line)
    assert len({ids_of(line)[0] for line in lines}) == 10


@pytest.mark.parametrize(
    "name", ["structlog", "structlog-formatter", "loguru-to-logging", "debug"]
)
def test_lines_that_are_exported(shown, collector, name):
    """Each arrives once, with the ids of its request and its trace."""
    shown(name)

    traces = {s.attributes["request_id"]: s.trace_id for s in collector.spans}
    lines = [x for x in collector.logs if x.body.startswith(("bought", "paid"))]
    assert len(lines) == 20
    for line in lines:
        in_text = line.body.split()[2]
        assert line.attributes["request_id"] == in_text
        assert line.trace_id == traces[in_text]


def test_each_recipe_is_run():
    """No block of the page is left out; one that sets nothing up is used by others."""
    run = {"structlog", "structlog-print", "structlog-formatter", "loguru"}
    run |= {"loguru-to-logging", "loguru-intercepts", "structlog-ids", "debug"}

    assert recipes().keys() == run
    assert PAGE.count("```python") == len(run)
