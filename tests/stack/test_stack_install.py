"""How ``scripts/stack`` installs what is missing."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from stack_check.shell import install

# As the real one: a second caller is turned away while the first is at it.
APT_GET = """#!/bin/sh
mkdir "$0.lock" || { echo "E: Unable to acquire the lock" >&2; exit 100; }
sleep 0.2
echo "$*" >> "$0.calls"
rmdir "$0.lock"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs: run as root")
def test_one_install_at_a_time(tmp_path, monkeypatch):
    """Two images are made side by side, and each may need a package."""
    apt_get = tmp_path / "apt-get"
    apt_get.write_text(APT_GET)
    apt_get.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with ThreadPoolExecutor() as pool:
        list(pool.map(install, [{"one": "no-program-1"}, {"two": "no-program-2"}]))

    calls = (tmp_path / "apt-get.calls").read_text().splitlines()
    assert sorted(call.split()[-1] for call in calls if "install" in call) == [
        "one",
        "two",
    ]
