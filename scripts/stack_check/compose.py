"""
Calls of Compose, the one that is there or the one from PyPI.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stack_check.ground import ROOT, InTheWayError, Model, model_of
from stack_check.report import say
from stack_check.shell import CommandError, call

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = "otel-aiohttp-logs-check"
"""Not the name in the file: a stack that somebody runs by it is left alone."""
IMAGE = "otel-aiohttp-logs-demo:check"
OLDEST = (2, 24)
FILES = ("docker-compose.yml", "docker-compose.check.yml")


@dataclass(frozen=True)
class Compose:
    command: tuple[str, ...]
    files: tuple[str, ...] = FILES
    profiles: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def call(self, *arguments: str, seconds: float = 120) -> str:
        return call(
            [*self.words, *arguments],
            env={"DEMO_IMAGE": IMAGE, "COMPOSE_MENU": "0", **self.env},
            cwd=ROOT,
            seconds=seconds,
        )

    @property
    def words(self) -> tuple[str, ...]:
        files = [word for file in self.files for word in ("-f", file)]
        profiles = [word for name in self.profiles for word in ("--profile", name)]
        return (*self.command, "--ansi=never", "-p", PROJECT, *files, *profiles)

    def with_file(self, *files: str) -> Compose:
        return replace(self, files=(*self.files, *files))

    def model(self) -> Model:
        return model_of(
            replace(self, profiles=("*",)).call("config", "--format", "json")
        )


def find_compose() -> Compose:
    """
    Return the Compose to use; raises ``InTheWayError`` if there is none.
    """
    for command in (("docker", "compose"), ("docker-compose",)):
        if not shutil.which(command[0]):
            continue
        version = _version(command)
        if version >= OLDEST:
            return Compose(command)
        if version:
            shown = ".".join(map(str, version))
            say(
                f"{' '.join(command)} is {shown}, too old for docker-compose.yml (2.24)"
            )
    ours = Path(sys.executable).with_name("docker-compose")
    if _version((str(ours),)) >= OLDEST:
        return Compose((str(ours),))
    msg = "no Docker Compose 2.24 or later: install the package docker-compose-v2"
    raise InTheWayError(msg)


def _version(command: tuple[str, ...]) -> tuple[int, ...]:
    try:
        said = call([*command, "version"])
    except CommandError:
        return ()
    # v1 says `docker-compose version 1.29.2, build …`, v2 `Docker Compose version v2.…`
    found = re.search(r"version v?(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else ()
