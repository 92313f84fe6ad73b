"""
The programs of the back ends, as ``scripts/backends`` finds or builds them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from stack_check.ground import ROOT, InTheWayError
from stack_check.shell import CommandError, call

MIB = 1024 * 1024
TO_BUILD, TO_RUN = 6000, 1000
"""MiB of disk: Go's caches and the programs; images, data and logs."""


def cache() -> Path:
    env = os.environ.get
    base = Path(env("XDG_CACHE_HOME") or Path.home() / ".cache") / "otel-aiohttp-logs"
    folder = Path(env("OTEL_AIOHTTP_LOGS_CACHE") or base)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        msg = f"cannot write to {folder}: {exc.strerror}; set OTEL_AIOHTTP_LOGS_CACHE"
        raise InTheWayError(msg) from None
    return folder


def check_disk(folder: Path) -> None:
    """
    Raise ``InTheWayError`` if there is no room in *folder* for what is to come.
    """
    try:
        call([ROOT / "scripts" / "backends", "--find"], seconds=60)
    except CommandError:
        needed, what = TO_BUILD, "building the back ends"
    else:
        needed, what = TO_RUN, "running the stack"
    free = shutil.disk_usage(folder).free // MIB
    if free < needed:
        msg = (
            f"{what} takes up to {needed} MiB of disk, and {folder} has {free} free: "
            "make room, or set OTEL_AIOHTTP_LOGS_CACHE to another disk"
        )
        raise InTheWayError(msg)


def programs() -> dict[str, Path]:
    """
    Return the program of each back end by name, after minutes if it has to be built.
    """
    command = str(ROOT / "scripts" / "backends")
    # Its progress goes to standard error, for whoever waits.
    done = subprocess.run(  # noqa: PLW1510 - the status is looked at below
        [command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        msg = f"scripts/backends says why above (status {done.returncode})"
        raise InTheWayError(msg)
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    return {name: Path(path) for name, _, path in lines}
