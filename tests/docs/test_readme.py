"""The README says what is true: its code runs, its tables are complete."""

from __future__ import annotations

import inspect
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import otel_aiohttp_logs
from otel_aiohttp_logs import instrument_app
from otel_aiohttp_logs._settings import Options, read_settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_PAGE, _, _ = README.partition("\n## ")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a line has only with the library: the id of its request, and its fields.
MARK = re.compile(r"▌[0-9a-f]{8} ")
FIELDS = re.compile(r'  (?:\w+=(?:"[^"]*"|\S+) ?)+$')
# Starts and stops the application of an example, instead of serving for ever.
SERVE = """
import asyncio
async def serve(app):
    runner = web.AppRunner(app)
    await runner.setup()
    await runner.cleanup()
asyncio.run(serve(app))
"""


def blocks(language, text=README):
    return [body for found, body in BLOCK.findall(text) if found == language]


def spelled_out(text):
    """Return the words of *text* with ``A_{B,C}`` as ``A_B`` and ``A_C``."""
    words = set()
    for word in re.findall(r"[A-Z][A-Z_{},]+", text):
        parts = [part.split(",") for part in re.split(r"[{}]", word.strip(","))]
        words |= {"".join(choice) for choice in itertools.product(*parts)}
    return words


class Asked(dict):
    """An environment without variables that notes which ones were looked for."""

    def __init__(self):
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return default


def test_first_page_is_short():
    """What it does, how to set it up and how to try it fit on the first page."""
    assert len(FIRST_PAGE.splitlines()) <= 60


def test_two_commands():
    """The first page has exactly two command lines: the demo, and the tests."""
    (commands,) = blocks("sh", FIRST_PAGE)

    assert commands.splitlines() == ["scripts/demo", "scripts/test"]
    for command in commands.splitlines():
        assert (ROOT / command).stat().st_mode & 0o111


def test_before_and_after():
    """The ten lines after are the ten lines before, with ids and fields."""
    before, after = (block.splitlines() for block in blocks("text", FIRST_PAGE))

    assert len(before) == 10
    assert all(MARK.search(line) for line in after)
    assert [FIELDS.sub("", MARK.sub("", line)) for line in after] == before
    assert len({MARK.search(line)[0] for line in after}) == 3


@pytest.mark.parametrize("source", blocks("python"))
def test_examples_run(source, tmp_path):
    """Each example in Python runs as it stands, with warnings as errors."""
    program = source.replace("web.run_app(app)", SERVE)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )

    assert run.returncode == 0, run.stderr


def test_set_up_is_three_lines():
    """The first example is one import and one call more than aiohttp's own."""
    lines = blocks("python")[0].splitlines()
    ours = [line for line in lines if "instrument_app" in line]

    assert len(ours) == 2
    assert lines[-1] == "web.run_app(app)"


def test_every_option_is_in_the_table():
    """Each option of ``instrument_app`` and its variable is documented."""
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    first_cells = " ".join(row.split("|")[1] for row in rows)
    options = set(inspect.signature(instrument_app).parameters) - {"app"}

    assert options == {name for name in options if f"`{name}`" in first_cells}
    for option in Options._fields:
        variable = f"OTEL_AIOHTTP_LOGS_{option.upper()}"
        assert any(f"| `{option}` | `{variable}` |" in row for row in rows)


@pytest.mark.parametrize("pipeline", ["own", "sdk"])
def test_every_variable_is_in_the_table(pipeline):
    """Each variable that the settings look for is documented."""
    environ = Asked()
    read_settings(Options(pipeline=pipeline), environ)

    assert len(environ.names) > 30
    assert environ.names - spelled_out(README) == set()


def test_no_variable_is_made_up():
    """Each variable of ours that a document names exists."""
    environ = Asked()
    read_settings(Options(), environ)
    known = environ.names | {"OTEL_AIOHTTP_LOGS_CACHE"}

    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"):
        named = set(re.findall(r"OTEL_AIOHTTP_LOGS_[A-Z_]+", path.read_text("utf-8")))
        assert named <= known


def test_public_names_are_mentioned():
    """Each public name stands in the README, but for the types of ``stats()``."""
    public = set(otel_aiohttp_logs.__all__) - {"SignalStats", "Stats"}

    assert {name for name in public if name not in README} == set()


def test_versions_are_those_of_the_package():
    """What it runs on is said as ``pyproject.toml`` says it."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest = re.search(r'"aiohttp>=([\d.]+)"', project)[1]
    pythons = re.findall(r":: Python :: (3\.\d+)", project)

    assert f"CPython {pythons[0]} to {pythons[-1]}, aiohttp {oldest} or later" in README


def test_json_example():
    """The JSON line has the keys in the order that is promised, and the ids' forms."""
    (example,) = blocks("json")
    line = json.loads(example)

    assert list(line)[:8] == [
        "timestamp",
        "level",
        "logger",
        "message",
        "request_id",
        "trace_id",
        "span_id",
        "trace_flags",
    ]
    assert re.fullmatch("[0-9a-f]{32}", line["trace_id"])


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name):
    """Each link to a file of this repository finds it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)

    assert links or name == "CONTRIBUTING.md"
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_fragments_are_named_by_kind():
    """Each fragment of the changelog says of which kind it is, and something."""
    fragments = list((ROOT / "changelog.d").iterdir())

    for fragment in fragments:
        assert re.fullmatch(
            r"[\w+-]+\.(added|changed|fixed|removed|security)\.md", fragment.name
        )
        assert fragment.read_text(encoding="utf-8").strip()
