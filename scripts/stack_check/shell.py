"""
Calls of other programs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SHOWN = 20
"""Lines of a failed program's output that are shown."""
_installing = threading.Lock()
"""Two images are made at a time, and apt-get takes one caller."""


class CommandError(Exception):
    """A program failed; the text has the end of its output."""


def call(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    seconds: float = 120,
) -> str:
    """
    Return the standard output of *command*.

    Raises ``CommandError`` if it fails, cannot be started, or takes over *seconds*.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(  # noqa: PLW1510 - the status is looked at below
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except OSError as exc:
        msg = f"{words[0]}: {exc.strerror}"
        raise CommandError(msg) from None
    except subprocess.TimeoutExpired:
        msg = f"{' '.join(words[:4])} took more than {seconds:g} s"
        raise CommandError(msg) from None
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()[-SHOWN:]
        msg = f"{' '.join(words[:12])}: status {done.returncode}\n" + "\n".join(lines)
        raise CommandError(msg)
    return done.stdout


def works(command: Sequence[str]) -> bool:
    try:
        call(command, seconds=30)
    except CommandError:
        return False
    return True


def last_line(error: CommandError) -> str:
    return str(error).strip().splitlines()[-1]


def install(packages: Mapping[str, str]) -> None:
    """
    Install the Debian packages whose programs (the values) are missing, if we may.

    Raises ``CommandError`` that says what to install otherwise.
    """
    with _installing:
        missing = [name for name, it in packages.items() if not shutil.which(it)]
        if missing:
            _install(missing)


def _install(missing: Sequence[str]) -> None:
    wanted = " ".join(missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        msg = f"{wanted}: not there, and only root can install it (apt-get)"
        raise CommandError(msg)
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        call(["apt-get", "update", "-qq"], env=env, seconds=180)
        options = ["install", "-y", "-qq", "--no-install-recommends"]
        call(["apt-get", *options, *missing], env=env, seconds=400)
    except CommandError as exc:
        msg = f"apt-get cannot install {wanted}: {last_line(exc)}"
        raise CommandError(msg) from None
