"""Asking a service what it makes of headers, byte by byte as the test writes them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("conformance_service.py")
TIMEOUT = 30


@dataclass(frozen=True)
class Answer:
    trace_id: str
    span_id: str
    parent_id: str | None
    """Of the request's span: 16 hex digits, None for a root or an unrecorded span."""
    remote: bool
    sampled: bool
    flags: int
    state: str
    baggage: dict[str, str]
    sent: list[list[str]]
    """The headers of a call that was made under the request, names in lower case."""
    by_api: dict[str, str]
    """What ``opentelemetry.propagate.inject`` writes under the request."""

    def header(self, name: str) -> str | None:
        """The header of the call, None if there was none."""
        values = [value for key, value in self.sent if key == name]
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None


class Service:
    def __init__(self, **variables: str) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            env={
                **environ,
                "OTEL_TRACES_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                **variables,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def ask(self, *headers: tuple[str, str | bytes]) -> Answer:
        lines = [b"GET / HTTP/1.1", b"Host: x", b"Connection: close"]
        for name, value in headers:
            raw = value if isinstance(value, bytes) else value.encode()
            lines.append(name.encode() + b": " + raw)
        status, body = self._exchange(b"\r\n".join(lines) + b"\r\n\r\n")
        assert status == 200, (status, body)
        answer: dict[str, Any] = json.loads(body)
        return Answer(**answer)

    def close(self) -> None:
        self._process.communicate(timeout=TIMEOUT)

    def _exchange(self, request: bytes) -> tuple[int, bytes]:
        with socket.create_connection(("127.0.0.1", self._port), TIMEOUT) as connection:
            connection.sendall(request)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = received.partition(b"\r\n\r\n")
        return int(head.split()[1]), body
