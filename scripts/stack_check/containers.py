"""
The stack in containers, by the real Compose.
"""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from stack_check.compose import PROJECT, Compose
from stack_check.ground import (
    COLLECTOR,
    JAEGER,
    LOGS,
    PARTS,
    Addresses,
    Model,
    addresses,
)
from stack_check.kept import left_over
from stack_check.report import say
from stack_check.shell import CommandError, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OVERLAY = "docker-compose.stdout.yml"
BOTH_ROADS = "scripts/stack_check/both-roads.yml"
FETCH = """
import json, sys, urllib.request
for url in sys.stdin:
    try:
        text, error = urllib.request.urlopen(url.strip(), timeout=5).read().decode(), ""
    except OSError as exc:
        text, error = "", repr(exc)
    print(json.dumps([text, error]), flush=True)
"""


class Containers:
    def __init__(self, compose: Compose, version: str) -> None:
        self.compose = compose
        self.name = f"in containers (Docker {version})"
        self.up_seconds = 0.0
        self._seen: dict[str, str] = {}
        self._overlay = False

    @cached_property
    def model(self) -> Model:
        return self.compose.model()

    @property
    def addresses(self) -> Addresses:
        return addresses(self.model)

    def build(self) -> None:
        self.compose.call("config", "-q")
        self.compose.call("build", "-q", seconds=400)
        say("our image is built")

    def validate(self) -> None:
        """
        Let each back end read its configuration before it is run by it.
        """
        run = ("run", "-T", "--rm", "--no-deps")
        self.compose.call(
            *run, COLLECTOR, "validate", "--config=/etc/otelcol/config.yaml"
        )
        jaeger = ("--entrypoint=/cmd/jaeger/jaeger-linux", JAEGER, "validate")
        self.compose.call(*run, *jaeger, "--config=/etc/jaeger/config.yaml")
        flags = self.model["services"][LOGS]["command"]
        # It has no `validate`; with -version it reads its flags and ends.
        self.compose.call(*run, LOGS, *flags, "-version")
        say("the configurations are valid")

    def up(self) -> None:
        began = time.monotonic()
        self.compose.call("up", "-d", "--wait", "--wait-timeout", "120", seconds=180)
        self.up_seconds = time.monotonic() - began
        self._look()

    def start_here(self) -> str:
        return call(["docker", "logs", _container("start-here")])

    def down(self) -> list[str]:
        files = (OVERLAY,) if self._overlay else ()
        self.compose.with_file(*files).call("down", "-v", "-t", "3")
        return [name for _, names in left_over() for name in names]

    def lines_by_stdout(self, *, otlp_as_well: bool) -> None:
        self._overlay = True
        files = (OVERLAY, BOTH_ROADS) if otlp_as_well else (OVERLAY,)
        command = ("up", "-d", "--wait", "--wait-timeout", "60")
        self.compose.with_file(*files).call(*command)
        self._look()

    def lines_by_otlp(self) -> None:
        self.compose.call("up", "-d", "--wait", "--wait-timeout", "60")

    def stop(self, part: str) -> None:
        call(["docker", "stop", "-t", "10", _container(part)])

    def kill(self, part: str) -> None:
        # Docker takes it for a stop by hand, and does not start it again by itself.
        call(["docker", "kill", _container(part)])

    def start(self, part: str) -> None:
        call(["docker", "start", _container(part)])
        self._look(part)

    def died(self) -> list[str]:
        return [part for part in PARTS if _life(part) != self._seen[part]]

    def memory(self) -> dict[str, str]:
        form = "{{.Name}}\t{{.MemUsage}}"
        command = ["docker", "stats", "--no-stream", "--format", form]
        names = [_container(part) for part in PARTS]
        rows = call([*command, *names]).splitlines()
        return {
            name.removeprefix(f"{PROJECT}-").removesuffix("-1"): used
            for name, used in (row.split("\t") for row in rows)
        }

    @contextmanager
    def inside(self) -> Iterator[Callable[[str], str]]:
        process = subprocess.Popen(
            ["docker", "exec", "-i", _container("shop"), "python", "-c", FETCH],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        assert process.stdout

        def fetch(url: str) -> str:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{url}\n")
            process.stdin.flush()
            text, error = json.loads(process.stdout.readline())
            if error:
                msg = f"{url}: {error}"
                raise OSError(msg)
            return str(text)

        try:
            yield fetch
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()

    def tail(self) -> str:
        with suppress(CommandError):
            return self.compose.call("logs", "--no-color", "--tail", "15")
        return ""

    def _look(self, *parts: str) -> None:
        for part in parts or PARTS:
            self._seen[part] = _life(part)


def _container(part: str) -> str:
    return f"{PROJECT}-{part}-1"


def _life(part: str) -> str:
    """
    Return what changes when a container ends, or is started again by its policy.
    """
    form = "{{.State.Running}} {{.State.StartedAt}} {{.RestartCount}}"
    life = call(["docker", "inspect", "--format", form, _container(part)]).strip()
    return life if life.startswith("true") else f"{life} not running"
