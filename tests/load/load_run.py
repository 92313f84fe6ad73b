"""One run: the program starts, is asked, and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import load_departures
import load_elsewhere
import load_failures
import load_outside
import load_scopes
import load_shapes
import load_tasks
from load_caller import Call, Caller, shuffled_calls
from load_figures import Figures, figures_of
from load_judge import Truth
from load_lines import Line, lines_of_collector, lines_of_stdout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from export.collector import FakeCollector, Received

KINDS = (
    *load_shapes.KINDS,
    *load_tasks.KINDS,
    *load_elsewhere.KINDS,
    *load_failures.KINDS,
    *load_departures.KINDS,
    *load_scopes.KINDS,
    *load_outside.KINDS,
)
PROGRAM = Path(__file__).with_name("load_server.py")
LONGEST_END = 20


@dataclass
class Run:
    """What came of one run, before it is judged."""

    calls: list[Call]
    spans: list[Received]
    shown: list[Line]
    """On stdout."""
    arrived: list[Line]
    """In the Collector."""
    errors: str
    """What the program wrote to stderr."""

    @property
    def figures(self) -> Figures:
        return figures_of(Truth(self.calls, self.spans), self.shown, self.arrived)


async def run_load(
    collector: FakeCollector,
    folder: Path,
    *,
    loop: str = "asyncio",
    seed: int = 0,
    requests: int,
    variant: str = "right",
    options: Mapping[str, str] | None = None,
) -> Run:
    """
    Run the program in *variant* on *loop*, and make *requests* of all kinds.

    *options* are the variables of ours, without their prefix.
    """
    environ = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_SERVICE_NAME": "load",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
        **{f"OTEL_AIOHTTP_LOGS_{k}": v for k, v in (options or {}).items()},
    }
    calls = shuffled_calls(KINDS, requests, seed)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        port = listening.getsockname()[1]
        command = [sys.executable, PROGRAM, loop, str(requests), variant]
        program = _started(command, environ, listening, folder)
    try:
        caller = Caller(port)
        try:
            await caller.make(calls)
        finally:
            await caller.close()
        program.send_signal(signal.SIGTERM)
        program.wait(LONGEST_END)
    finally:
        program.kill()
        program.wait()
    output, errors = ((folder / name).read_text() for name in ("stdout", "stderr"))
    return Run(
        calls,
        collector.spans,
        lines_of_stdout(output),
        lines_of_collector(collector.logs),
        errors,
    )


def _started(
    command: list[str | Path],
    environ: Mapping[str, str],
    listening: socket.socket,
    folder: Path,
) -> subprocess.Popen[bytes]:
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        return subprocess.Popen(
            command, stdin=listening, stdout=out, stderr=err, env=environ
        )
