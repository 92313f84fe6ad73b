"""
A Docker engine: the one that answers, or ours for as long as it is needed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stack_check.ground import InTheWayError
from stack_check.shell import CommandError, call, install

if TYPE_CHECKING:
    from pathlib import Path

OLDEST = (20, 10)
PATIENCE = 30


class NoEngineError(Exception):
    """No container can be started here; the text says why."""


@dataclass(frozen=True)
class Engine:
    version: str
    pid: int | None
    """Of the dockerd that was started here; None if another one answered."""


def find_engine(run: Path) -> Engine:
    """
    Return an engine that answers, started here if there is none and we may.

    Raises ``NoEngineError``, or ``InTheWayError`` if there is one that cannot be used.
    """
    version = _answering()
    if version:
        return Engine(version, None)
    if os.geteuid() != 0:
        msg = "no Docker engine answers, and only root may start one"
        raise NoEngineError(msg)
    try:
        install({"docker.io": "dockerd", "iptables": "iptables"})
        if not os.path.ismount("/sys/fs/cgroup"):
            install({"cgroupfs-mount": "cgroupfs-mount"})
    except CommandError as exc:
        msg = f"no Docker engine: {exc}"
        raise NoEngineError(msg) from None
    return _start(run)


def _answering() -> str | None:
    if not shutil.which("docker"):
        return None
    try:
        version = call(["docker", "version", "--format", "{{.Server.Version}}"])
    except CommandError as exc:
        if "permission denied" in str(exc):
            msg = (
                "no permission for the Docker socket: add yourself to its group "
                "(sudo usermod -aG docker $USER, then log in again), or run "
                "scripts/stack --processes"
            )
            raise InTheWayError(msg) from None
        if "is too old" in str(exc) or "too new" in str(exc):
            msg = (
                f"the Docker client and engine do not fit: {str(exc).splitlines()[-1]}"
            )
            raise InTheWayError(msg) from None
        return None
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if numbers < OLDEST:
        msg = (
            f"the Docker engine is {version.strip()}, and 20.10 or later is needed: "
            "update it, or run scripts/stack --processes"
        )
        raise InTheWayError(msg)
    return version.strip()


def _start(run: Path) -> Engine:
    log = run / "dockerd.log"
    # A pid file of its own: the one of an engine that was killed would block the start.
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["dockerd", "--pidfile", str(run / "dockerd.pid")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        version = _answering()
        if version:
            return Engine(version, process.pid)
        time.sleep(0.2)
    if process.poll() is None:
        end_process(process.pid, 10)
    said = log.read_text(errors="replace").strip().splitlines()
    why = [line for line in said if "failed to start" in line] or said or ["no word"]
    msg = f"dockerd does not start: {why[-1][-300:]}"
    raise NoEngineError(msg)


def end_process(pid: int, seconds: float) -> None:
    """
    End one process, with SIGKILL when it takes more than *seconds*.
    """
    with suppress(ProcessLookupError):
        os.kill(pid, 15)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    return
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, 9)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
