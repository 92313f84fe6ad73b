"""
The stack as plain processes: the same configurations, with addresses on the loopback.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from stack_check.engine import end_process
from stack_check.ground import (
    COLLECTOR,
    JAEGER,
    LOGS,
    PARTS,
    Addresses,
    Model,
    addresses,
    published,
)
from stack_check.kept import identity
from stack_check.settings import collector_words, jaeger_words, service_environment
from stack_check.shell import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stack_check.kept import Made

PATIENCE = 60


class Processes:
    def __init__(
        self, model: Model, programs: dict[str, Path], made: Made, why: str
    ) -> None:
        self.name = f"as plain processes ({why}); docker-compose.yml itself was not run"
        self.model = model
        self.up_seconds = 0.0
        self._programs = programs
        self._made = made
        self._run = Path(made.run)
        self._free = {
            name: free_port() for name in ("otlp", "health", "ready", "query")
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._overlay = False
        self._otlp_lines = True

    @property
    def addresses(self) -> Addresses:
        return addresses(self.model)

    def up(self) -> None:
        began = time.monotonic()
        for part in (LOGS, JAEGER, COLLECTOR, "stock", "shop", "traffic"):
            self.start(part)
        self.up_seconds = time.monotonic() - began

    def start_here(self) -> str:
        """Get what the container would print: there is nothing to run in it."""
        return str(self.model["services"]["start-here"]["command"][1])

    def down(self) -> list[str]:
        # The last one first: a service whose Collector is gone takes its time to end.
        ended = list(self._running.values())
        for part in reversed(list(self._running)):
            self.stop(part)
        return [str(process.args) for process in ended if process.poll() is None]

    def start(self, part: str) -> None:
        words, env = self._command(part)
        folder = self._run / "data"
        folder.mkdir(exist_ok=True)
        with (
            (self._run / f"{part}.log").open("ab") as log,
            self._output(part) as output,
        ):
            process = subprocess.Popen(
                words,
                env={**os.environ, **env},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output or log,
                stderr=log,
                # Not ended by the terminal's Ctrl-C, but by us.
                start_new_session=True,
            )
        self._running[part] = process
        self._made.processes.append(identity(process.pid))
        self._made.save()
        self._wait_for(part)

    def stop(self, part: str) -> None:
        process = self._running.pop(part)
        # Jaeger takes 10 s to end by itself; its store is gone in any case.
        end_process(process.pid, 2 if part == JAEGER else 10)
        process.wait()

    def kill(self, part: str) -> None:
        process = self._running.pop(part)
        process.kill()
        process.wait()

    def died(self) -> list[str]:
        return [
            part
            for part in PARTS
            if part not in self._running or self._running[part].poll() is not None
        ]

    def lines_by_stdout(self, *, otlp_as_well: bool) -> None:
        self._restart(overlay=True, otlp_lines=otlp_as_well)

    def lines_by_otlp(self) -> None:
        self._restart(overlay=False, otlp_lines=True)

    def _restart(self, *, overlay: bool, otlp_lines: bool) -> None:
        changed = ["shop", "stock", COLLECTOR]
        if overlay == self._overlay:
            changed.remove(COLLECTOR)
        for part in changed:
            self.stop(part)
        self._overlay, self._otlp_lines = overlay, otlp_lines
        for part in reversed(changed):
            self.start(part)

    def memory(self) -> dict[str, str]:
        used = {}
        for part, process in self._running.items():
            status = Path(f"/proc/{process.pid}/status")
            with suppress(OSError):
                row = next(
                    line for line in status.read_text().splitlines() if "VmRSS" in line
                )
                used[part] = f"{int(row.split()[1]) / 1024:.1f}MiB"
        return used

    @contextmanager
    def inside(self) -> Iterator[Callable[[str], str]]:
        here = self.addresses
        names = {
            "http://jaeger:16686": here.jaeger,
            "http://victoria-logs:9428": here.logs,
        }

        def fetch(url: str) -> str:
            for name, there in names.items():
                url = url.replace(name, there, 1)
            with urllib.request.urlopen(url, timeout=5) as answer:
                text: bytes = answer.read()
            return text.decode()

        yield fetch

    def tail(self) -> str:
        said = []
        for log in sorted(self._run.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-5:]
            said += [f"{log.stem}: {line[:300]}" for line in lines]
        return "\n".join(said)

    @contextmanager
    def _output(self, part: str) -> Iterator[BinaryIO | None]:
        if not (self._overlay and part in {"shop", "stock"}):
            yield None
            return
        with (self._run / "stdout" / f"{part}.jsonl").open("ab") as output:
            yield output

    def _command(self, part: str) -> tuple[list[str], dict[str, str]]:
        service = self.model["services"][part]
        ports, here = published(self.model), self.addresses
        if part == LOGS:
            flags = [
                flag for flag in service["command"] if "storageDataPath" not in flag
            ]
            port = ports[LOGS, 9428]
            own = [f"-storageDataPath={self._run / 'lines'}"]
            own += [f"-httpListenAddr=127.0.0.1:{port}"]
            return [str(self._programs[LOGS]), *flags, *own], {}
        if part == JAEGER:
            page = self._run / "page.json"
            page.write_text(service["environment"]["PAGE"], encoding="utf-8")
            words = jaeger_words(ports[JAEGER, 16686], self._free, page)
            return [str(self._programs[JAEGER]), *words], {}
        if part == COLLECTOR:
            for name in ("stdout", "state"):
                (self._run / name).mkdir(exist_ok=True)
            overlay = self._run if self._overlay else None
            words = collector_words(here, ports, self._free, overlay)
            return [str(self._programs["otelcol"]), *words], {}
        env = service_environment(service["environment"], ports[part, 8080], here)
        if self._overlay:
            env["OTEL_AIOHTTP_LOGS_OUTPUT"] = "json"
            env["OTEL_LOGS_EXPORTER"] = "otlp" if self._otlp_lines else "none"
        return [sys.executable, "-m", f"otel_aiohttp_logs.demo.{part}"], env

    def _wait_for(self, part: str) -> None:
        here = self.addresses
        url = {
            LOGS: f"{here.logs}/health",
            JAEGER: f"http://127.0.0.1:{self._free['health']}/status",
            COLLECTOR: f"http://127.0.0.1:{self._free['ready']}/",
        }.get(part)
        if url is None:
            port = published(self.model)[part, 8080]
            url = f"http://127.0.0.1:{port}/healthz"
        end = time.monotonic() + PATIENCE
        while not _answers(url):
            gone = self._running[part].poll() is not None
            if gone or time.monotonic() > end:
                msg = f"{part} does not start\n{self.tail()}"
                raise CommandError(msg)
            time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
