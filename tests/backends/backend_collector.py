"""The real Collector as a process, and what its file exporter writes."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from backend_otlp import Line, Span, lines_of, spans_of
from backend_processes import Running, free_port, running, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Collector(NamedTuple):
    http: str
    """The OTLP/HTTP endpoint, a URL."""
    grpc: str
    """The OTLP/gRPC endpoint, a URL."""
    logs: Path
    spans: Path
    own_log: Path
    """What the Collector says of itself."""

    def lines(self, *services: str) -> list[Line]:
        """
        Return the log records of *services* that arrived so far.
        """
        messages = _messages(self.logs)
        found = (line for message in messages for line in lines_of(message))
        return [line for line in found if line.service in services]

    def lines_until(self, count: int, *services: str, within: float = 15) -> list[Line]:
        """
        Return the lines of *services* once there are *count*, or what there is then.
        """
        end = time.monotonic() + within
        while True:
            lines = self.lines(*services)
            if len(lines) >= count or time.monotonic() > end:
                return lines
            time.sleep(0.1)

    def received_spans(self, *services: str) -> list[Span]:
        """
        Return the spans of *services* that arrived so far.
        """
        messages = _messages(self.spans)
        found = (span for message in messages for span in spans_of(message))
        return [span for span in found if span.service in services]


class Addresses(NamedTuple):
    """Where the parts of one Collector listen and send to, host and port each."""

    http: str
    grpc: str
    health: str
    metrics_port: int
    jaeger: str
    log_store: str

    @classmethod
    def free(cls, *, jaeger: str, log_store: str = "127.0.0.1:9") -> Addresses:
        http, grpc, health = (f"127.0.0.1:{free_port()}" for _ in range(3))
        return cls(http, grpc, health, free_port(), jaeger, log_store)

    def overlay(self) -> dict[str, object]:
        """
        Return what ``collector-config.yaml`` needs to run at these addresses.
        """
        protocols = {"grpc": {"endpoint": self.grpc}, "http": {"endpoint": self.http}}
        reader = {
            "pull": {
                "exporter": {
                    "prometheus": {"host": "127.0.0.1", "port": self.metrics_port}
                }
            }
        }
        store = f"http://{self.log_store}/insert/opentelemetry/v1/logs"
        return {
            "extensions": {"health_check": {"endpoint": self.health}},
            "receivers": {"otlp": {"protocols": protocols}},
            "exporters": {
                "otlp_grpc/jaeger": {"endpoint": self.jaeger},
                "otlp_http/logs": {"logs_endpoint": store},
                "prometheus": {"endpoint": f"127.0.0.1:{free_port()}"},
            },
            "service": {"telemetry": {"metrics": {"readers": [reader]}}},
        }


@contextmanager
def collector_process(
    program: Path,
    config: Path,
    folder: Path,
    addresses: Addresses,
    more: Mapping[str, object] | None = None,
) -> Iterator[Running]:
    """
    Run the Collector with *config* at *addresses*, and *more* configuration if any.
    """
    command = [str(program), f"--config={config}"]
    for name, part in (("addresses", addresses.overlay()), ("more", more)):
        if part is not None:
            path = folder / f"{name}.yaml"
            path.write_text(json.dumps(part))  # JSON is YAML
            command.append(f"--config={path}")
    with running("collector", command, folder) as process:
        wait_until_ready(process, f"http://{addresses.health}/")
        yield process


@contextmanager
def running_collector(
    program: Path, config: Path, folder: Path, addresses: Addresses
) -> Iterator[Collector]:
    """
    Run the Collector with *config*, and write what it passes on to files in *folder*.
    """
    logs, spans = folder / "logs.jsonl", folder / "spans.jsonl"
    # Lists are replaced, not merged: there is no log store here.
    more = {
        "exporters": {
            "file/logs": {"path": str(logs), "flush_interval": "100ms"},
            "file/spans": {"path": str(spans), "flush_interval": "100ms"},
        },
        "service": {
            "pipelines": {
                "traces": {"exporters": ["otlp_grpc/jaeger", "file/spans"]},
                "logs": {"exporters": ["file/logs"]},
            }
        },
    }
    with collector_process(program, config, folder, addresses, more) as process:
        http, grpc = f"http://{addresses.http}", f"http://{addresses.grpc}"
        yield Collector(http, grpc, logs, spans, process.log)


def _messages(path: Path) -> Iterator[dict[str, object]]:
    if not path.exists():
        return
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):  # the last one may still be being written
            yield json.loads(line)
