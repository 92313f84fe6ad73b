"""``scripts/venv``: where scripts/demo and scripts/test begin, on poor machines."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "cat", "cksum", "dirname", "rm", "sed")


class Clone:
    """A copy of what the script reads, and a PATH with nothing but a few tools."""

    def __init__(self, folder):
        self.folder = folder / "clone"
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ("scripts", "requirements", "otel_aiohttp_logs"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.folder / name, ignore=ignored)
        for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, self.folder)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))

    def program(self, name, script):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *command, **env):
        return subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": str(self.bin), "HOME": str(self.folder), **env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


@pytest.mark.parametrize("command", [("scripts/demo",), ("scripts/test", "-q")])
def test_no_python(clone, command):
    """Without a Python it says which is needed and how to get it, and makes nothing."""
    said = clone.run(*command)

    assert said.returncode == 1
    assert said.stderr == (
        "Python 3.10 or later is needed and none is on the PATH. Install one (Debian, "
        "Ubuntu: apt install python3 python3-venv), or set PYTHON to the path of one.\n"
    )
    assert not (clone.folder / ".venv").exists()


def test_old_python(clone):
    """A Python that is too old, or does not run, is none."""
    clone.program("python3.13", "exit 127")
    clone.program("python3", "exit 1")

    assert "Python 3.10 or later is needed" in clone.run("scripts/venv", "run").stderr


def test_python_that_is_named(clone):
    """``PYTHON`` names the interpreter; one that is too old is refused by its name."""
    clone.program("old", "exit 1")
    said = clone.run("scripts/venv", "run", PYTHON="old")

    assert said.returncode == 1
    assert said.stderr == "PYTHON is old, and that is no Python of 3.10 or later.\n"


def test_no_venv(clone):
    """Where ``venv`` is missing, it says which package has it."""
    clone.program(
        "python3.11",
        'case "$2" in *ensurepip*) exit 1 ;; '
        "*3.%d-venv*) echo python3.11-venv ;; *) exit 0 ;; esac",
    )
    said = clone.run("scripts/venv", "run")

    assert said.returncode == 1
    assert said.stderr == (
        "python3.11 cannot make virtual environments. Install what is missing (Debian, "
        "Ubuntu: apt install python3.11-venv), or install uv, or set PYTHON to another "
        "Python.\n"
    )


def test_wrong_call(clone):
    """Without a word of what for, it says which words there are."""
    said = clone.run("scripts/venv")

    assert (said.returncode, said.stderr) == (1, "usage: scripts/venv run|dev\n")


def test_uv_is_used_where_it_is(clone):
    """With ``uv`` on the PATH, that does it all, and checks the hashes."""
    clone.program("python3", f'exec "{sys.executable}" "$@"')
    clone.program(
        "uv",
        f'echo "$@" >>"{clone.folder}/calls"\n'
        f'[ "$1" = pip ] || "{sys.executable}" -m venv --without-pip .venv',
    )
    said = clone.run("scripts/venv", "run")

    assert said.returncode == 0, said.stderr
    install = "pip install --quiet --python .venv/bin/python"
    pins = "-r requirements/build.txt -r requirements/run.txt"
    assert (clone.folder / "calls").read_text().splitlines() == [
        "venv --quiet --python python3 .venv",
        f"{install} --require-hashes {pins}",
        f"{install} --no-deps --no-build-isolation --editable .",
    ]


def test_second_run_does_nothing(clone):
    """
    What is installed is installed again only when the pins or pyproject.toml changed;
    what the tests need is enough for the demo.
    """
    clone.program("python3", f'exec "{sys.executable}" "$@"')
    clone.program(
        "uv",
        f'echo "$1" >>"{clone.folder}/calls"\n'
        f'[ "$1" = pip ] || "{sys.executable}" -m venv --without-pip .venv',
    )

    def calls(kind):
        (clone.folder / "calls").write_text("")
        said = clone.run("scripts/venv", kind)
        assert said.returncode == 0, said.stderr
        return (clone.folder / "calls").read_text().split()

    assert calls("run") == ["venv", "pip", "pip"]
    assert calls("run") == []
    assert calls("dev") == ["pip", "pip"]
    assert calls("run") == []
    with (clone.folder / "requirements" / "run.txt").open("a") as pins:
        pins.write("# changed\n")
    assert calls("dev") == ["pip", "pip"]
