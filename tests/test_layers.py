"""Who may import whom: each stage knows only the data that it consumes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import otel_aiohttp_logs

ROOT = Path(otel_aiohttp_logs.__file__).parent
PACKAGE = "otel_aiohttp_logs"

MAY_IMPORT = {
    "flat": set(),
    "_contrib": {"scope.request"},
    "_speed": set(),
    "_environment": set(),
    "_meter": set(),
    "_version": set(),
    "_resource": {"_environment", "_version"},
    "_settings": {
        "_environment",
        "_resource",
        "export.settings",
        "span.limits",
        "span.settings",
    },
    # The two know each other's data: what is bound is made safe as what is logged is.
    "scope": {
        "flat",
        "record.exceptions",
        "record.fields",
        "record.safe",
        "record.text",
        "record.twins",
    },
    "hooks": {"record.stamp", "request.rejected", "scope.request"},
    "record": {"_speed", "flat", "scope.fields", "scope.request"},
    "span": {"flat", "record", "_environment"},
    "client": {
        "_environment",
        "_meter",
        "record",
        "request",
        "scope.request",
        "span.propagation",
    },
    "request": {"_meter", "_version", "flat", "record", "scope", "span"},
    "output": {"flat", "record"},
    "export": {"flat", "_environment", "_speed", "_version"},
    "pipeline": {"flat", "_resource", "_settings", "export", "record", "span"},
    "_process": {
        "_contrib",
        "_settings",
        "export.stats",
        "hooks",
        "output",
        "pipeline",
        "record",
        "request.event",
        "span",
    },
    "_instrumented": {"_contrib", "_process", "_settings", "request", "span"},
    "_setup": {
        "_instrumented",
        "_settings",
        "export.stats",
        "pipeline.sdk",
        "pipeline.theirs",
        "request.rejected",
    },
    "__init__": {"scope", "_setup", "client", "export.stats", "output", "request"},
    # The demo is a user of the library, and its receiver knows OTLP only.
    "demo": {
        "bind",
        "bound",
        "client_trace_config",
        "detached",
        "flat",
        "instrument_app",
        "step",
    },
    "cli": {"demo"},
    "__main__": {"cli"},
}


def stage_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path):
    """Our own modules that *path* imports, without the package's name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            base = str(node.module)
            names = [
                f"{base}.{alias.name}" if base == PACKAGE else base
                for alias in node.names
            ]
        else:
            continue
        for name in names:
            if name.startswith(f"{PACKAGE}."):
                yield name.removeprefix(f"{PACKAGE}.")


def allowed(stage, name):
    return any(
        name == other or name.startswith(f"{other}.")
        for other in (stage, *MAY_IMPORT[stage])
    )


@pytest.mark.parametrize("stage", sorted({stage_of(p) for p in ROOT.rglob("*.py")}))
def test_each_stage_imports_only_what_it_consumes(stage):
    """A new import across stages is a decision, taken in the table above."""
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in ROOT.rglob("*.py")
        if stage_of(path) == stage
        for name in imports_of(path)
        if not allowed(stage, name)
    }

    assert wrong == set()


def test_the_table_is_no_wider_than_it_needs():
    """What nobody imports any more is taken out of the table."""
    used = {
        (stage_of(path), name)
        for path in ROOT.rglob("*.py")
        for name in imports_of(path)
    }
    unused = {
        (stage, other)
        for stage, others in MAY_IMPORT.items()
        for other in others
        if not any(
            stage == importer and (name == other or name.startswith(f"{other}."))
            for importer, name in used
        )
    }

    assert unused == set()


def test_the_map_names_every_part():
    """The package's docstring is its map: each part of the tree stands there."""
    parts = {stage_of(path) for path in ROOT.rglob("*.py")} - {"__init__"}
    words = set((otel_aiohttp_logs.__doc__ or "").replace("/", " ").split())
    named = {word.strip("()") for word in words}

    assert {part for part in parts if part not in named} == set()
