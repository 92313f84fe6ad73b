"""One row, run: what was asked, what came back, and where each thing was seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from export.collector import FakeCollector
    from interop_rows import Row

SERVICE = Path(__file__).with_name("interop_service.py")
INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")
IDS = ("trace_id", "span_id", "request_id")


@dataclass(frozen=True)
class Answer:
    path: str
    request_id: str
    """Of the response's header."""
    told: Mapping[str, str]
    """What a handler knew of itself, if it came to the end."""


@dataclass(frozen=True)
class Outcome:
    answers: list[Answer]
    collector: FakeCollector
    stdout: list[dict[str, Any]]
    """The JSON lines."""
    seen: list[dict[str, str]]
    """What a handler of the application saw on its records."""
    output: str
    """Everything else that the process said."""


def run(row: Row, collector: FakeCollector, file: Path) -> Outcome:
    command = [sys.executable, str(SERVICE), str(file), *row.steps.split()]
    if row.auto:
        command.insert(0, str(INSTRUMENT))
    with subprocess.Popen(
        command,
        env={**_clean_environment(), **_variables(collector), **row.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as service:
        try:
            first = _first_line(service)
            base = f"http://127.0.0.1:{first}"
            with ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(lambda path: ask(base, path), row.paths))
            out, err = service.communicate(timeout=60)
        finally:
            service.kill()
    assert service.returncode == 0, err
    # The SDK's console exporter prints JSON as well, over several lines.
    lines = [line for line in out.splitlines() if line.startswith('{"')]
    others = [line for line in out.splitlines() if not line.startswith('{"')]
    return Outcome(
        _with_inner(answers),
        collector,
        [json.loads(line) for line in lines],
        json.loads(file.read_text()),
        "\n".join([*others, err]),
    )


def ask(base: str, path: str) -> Answer:
    try:
        response = urllib.request.urlopen(f"{base}{path}", timeout=30)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        body = response.read()
        told = json.loads(body) if response.status == 200 else {}
        return Answer(path, response.headers["X-Request-ID"], told)


def _first_line(service: subprocess.Popen[str]) -> int:
    for line in service.stdout:
        if line.startswith("PORT "):
            return int(line.split()[1])
    raise AssertionError(service.stderr.read())


def _with_inner(answers: list[Answer]) -> list[Answer]:
    """``/call/7`` asks for ``/ok/7``, and passes on what that one told."""
    inner = [
        Answer(
            answer.path.replace("call", "ok"), answer.told["request_id"], answer.told
        )
        for answer in answers
        if answer.path.startswith("/call")
    ]
    outer = [
        Answer(answer.path, answer.request_id, {})
        if answer.path.startswith("/call")
        else answer
        for answer in answers
    ]
    return outer + inner


def _clean_environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    return {**kept, "PYTHONWARNINGS": "ignore"}


def _variables(collector: FakeCollector) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
    }
