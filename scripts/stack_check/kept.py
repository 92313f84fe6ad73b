"""
What a run has made on this machine, written down, so that a later run can take it away.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stack_check.compose import PROJECT
from stack_check.engine import end_process
from stack_check.ground import InTheWayError
from stack_check.report import say
from stack_check.shell import CommandError, call

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE_LABEL = "otel-aiohttp-logs.demo"
LABEL = f"label=com.docker.compose.project={PROJECT}"


@dataclass
class Made:
    file: str
    kept: bool = False
    run: str = ""
    containers: bool = False
    """Whether there may be some of our project, and that by this run."""
    dockerd: list[str] = field(default_factory=list)
    """The process id and when that began: ids come again."""
    processes: list[list[str]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    def save(self) -> None:
        new = Path(f"{self.file}.new")
        new.write_text(json.dumps(asdict(self)), encoding="utf-8")
        new.replace(self.file)

    def take_away(self) -> None:
        """
        End and remove all of it.
        """
        for process in reversed(self.processes):
            _end(process)
        if self.containers:
            take_containers_away()
            # Of our image's builds, what is no longer of use to the next.
            old = ["--filter", f"label={IMAGE_LABEL}", "--filter", "until=24h"]
            with suppress(CommandError):
                call(["docker", "image", "prune", "-f", *old])
        for image in self.images:
            with suppress(CommandError):
                call(["docker", "rmi", image])
        _end(self.dockerd)
        if self.run:
            shutil.rmtree(self.run, ignore_errors=True)
        Path(self.file).unlink(missing_ok=True)


def take_containers_away() -> None:
    """
    Remove the containers, volumes and networks of our project, however it began.
    """
    for kind, found in left_over():
        with suppress(CommandError):
            call(["docker", kind, "rm", *(["-fv"] * (kind == "container")), *found])
            say(f"removed {len(found)} {kind}{'s' * (len(found) > 1)}")


def left_over() -> Iterator[tuple[str, list[str]]]:
    """
    Yield what there is of our project: a kind, and the ids or names of that kind.
    """
    for kind in ("container", "volume", "network"):
        listing = ["docker", kind, "ls", "-q", *(["-a"] * (kind == "container"))]
        with suppress(CommandError):
            found = call([*listing, "--filter", LABEL]).split()
            if found:
                yield kind, found


def made_before(cache: Path) -> Made | None:
    """
    Return what an earlier run made and did not take away.
    """
    file = cache / "stack.json"
    try:
        return Made(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):  # half-written by a run that was killed
        return Made(str(file), containers=True)


@contextmanager
def only_run(cache: Path) -> Iterator[None]:
    """
    Be the only run of this user; raises ``InTheWayError`` when there is another.
    """
    with (cache / "stack.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = "another scripts/stack is running: wait for it, or end it"
            raise InTheWayError(msg) from None
        yield


def identity(pid: int) -> list[str]:
    """
    Return what tells the process *pid* from a later one with the same id.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # no Linux
        return [str(pid), ""]
    return [str(pid), stat.rpartition(")")[2].split()[19]]


def _end(process: list[str]) -> None:
    if not process:
        return
    pid = int(process[0])
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, 0)
        if identity(pid) == process:
            end_process(pid, 10)
