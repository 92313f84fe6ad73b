"""What the scripts install is pinned, with hashes, and says nothing of any machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)( ; [^\\]+)? \\$")


def pins(name):
    lines = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8").splitlines()
    return {(found[1], found[2]) for line in lines if (found := PIN.match(line))}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_place_gets_in(path):
    """No host, no path, no index and no link of whoever wrote the pins."""
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"https?:|file:|@|^--|^-[a-z]", text, re.MULTILINE)
    assert not re.search(r"(?<![\w.])/\w", text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_everything_has_a_hash(path):
    """Each line is a pin, a hash of it, or a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    wanted = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")

    assert lines[1].split() == ["#", "scripts/pins"]
    for line in lines:
        assert line.strip().startswith("#") or PIN.match(line) or wanted.fullmatch(line)
    assert any(PIN.match(line) for line in lines)


def test_the_three_agree():
    """What runs is what is tested, to the version."""
    assert pins("run") < pins("dev")
    assert pins("build") < pins("dev")
