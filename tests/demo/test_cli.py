"""The console script: its commands, and what it says to a wrong call."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

from otel_aiohttp_logs.cli import COMMANDS, main


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "otel_aiohttp_logs", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_console_script_is_the_module():
    """``otel-aiohttp-logs`` and ``python -m otel_aiohttp_logs`` are one program."""
    (script,) = entry_points(group="console_scripts", name="otel-aiohttp-logs")

    assert script.load() is main
    assert (
        run("--version").stdout == f"otel-aiohttp-logs {version('otel-aiohttp-logs')}\n"
    )


def test_help_lists_each_command():
    """``--help`` names each command with what it does."""
    said = run("--help")

    assert said.returncode == 0
    for command in COMMANDS:
        assert f"{command.NAME:<9} {command.HELP}" in said.stdout


@pytest.mark.parametrize("arguments", [(), ("dmeo",), ("--nope", "demo")])
def test_wrong_call_gives_help(arguments):
    """No command, an unknown one, an unknown option: the help, the reason, status 2."""
    said = run(*arguments)

    assert said.returncode == 2
    assert "commands:\n" in said.stderr
    assert said.stderr.splitlines()[-1].startswith("otel-aiohttp-logs: ")
    assert said.stdout == ""


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--seconds", "0", "0 is not more than 0"),
        ("--seconds", "nan", "nan is not more than 0"),
        ("--seconds", "soon", "'soon'"),
        ("--rate", "51", "51 is more than 50"),
        ("--port", "65536", "65536 is not from 0 to 65535"),
        ("--otlp-port", "http", "'http'"),
    ],
)
def test_wrong_option_of_the_demo(option, value, reason):
    """A value that makes no sense is named, with the option, before anything runs."""
    said = run("demo", option, value)

    assert said.returncode == 2
    last = said.stderr.splitlines()[-1]
    assert last.startswith(f"otel-aiohttp-logs demo: argument {option}: ")
    assert reason in last
