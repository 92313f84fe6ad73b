"""The public surface, exactly: a name more or less is a decision."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import otel_aiohttp_logs


def test_public_names():
    """What can be imported from the package, and nothing else."""
    assert sorted(otel_aiohttp_logs.__all__) == [
        "ConsoleFormatter",
        "JSONFormatter",
        "SignalStats",
        "Stats",
        "bind",
        "bound",
        "client_trace_config",
        "detached",
        "flush",
        "instrument_app",
        "request_id",
        "stats",
        "step",
        "uninstrument_app",
    ]
    public = {name for name in vars(otel_aiohttp_logs) if not name.startswith("_")}
    modules = {
        name for name in public if inspect.ismodule(getattr(otel_aiohttp_logs, name))
    }
    assert public - modules == set(otel_aiohttp_logs.__all__)


def test_signatures():
    """Options are by keyword, and each can be left out."""
    shown = {
        name: str(inspect.signature(getattr(otel_aiohttp_logs, name)))
        for name in (
            "uninstrument_app",
            "request_id",
            "stats",
            "flush",
            "bind",
            "bound",
            "detached",
            "step",
        )
    }
    assert shown == {
        "uninstrument_app": "(app: 'web.Application') -> 'None'",
        "request_id": "() -> 'str | None'",
        "stats": "() -> 'Stats'",
        "flush": "(timeout: 'float' = 5.0) -> 'bool'",
        "bind": "(**fields: 'object') -> 'None'",
        "bound": "(**fields: 'object') -> 'BoundBlock'",
        "detached": "() -> 'DetachedBlock'",
        "step": "(name: 'str', /, **fields: 'object') -> 'StepBlock'",
    }
    options = inspect.signature(otel_aiohttp_logs.instrument_app).parameters
    assert list(options) == [
        "app",
        "pipeline",
        "output",
        "level",
        "span_events",
        "request_id_header",
        "websocket_spans",
        "hooks",
        "request_id_pattern",
        "access_log",
        "quiet_routes",
        "tracer_provider",
        "logger_provider",
        "meter_provider",
    ]
    assert all(
        option.kind is option.KEYWORD_ONLY and option.default is None
        for name, option in options.items()
        if name != "app"
    )


def test_stats_fields():
    """The snapshot is frozen and has the counts by their names."""
    names = [field.name for field in dataclasses.fields(otel_aiohttp_logs.SignalStats)]

    assert names == [
        "emitted",
        "exported",
        "queued",
        "spooled",
        "dropped",
        "retried",
    ]
    assert [f.name for f in dataclasses.fields(otel_aiohttp_logs.Stats)] == [
        "logs",
        "spans",
        "lines_lost",
        "request_ids_replaced",
        "telemetry_failures",
    ]
    assert otel_aiohttp_logs.Stats.__dataclass_params__.frozen


def test_public_names_have_docstrings():
    """Each says what its caller gets."""
    missing = [
        name
        for name in otel_aiohttp_logs.__all__
        if not inspect.getdoc(getattr(otel_aiohttp_logs, name))
    ]

    assert missing == []


def test_types_as_a_user_sees_them():
    """mypy --strict accepts each public name used as a user would."""
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            str(Path(__file__).parent / "typing" / "api.py"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert (checked.returncode, checked.stdout) == (0, "")
