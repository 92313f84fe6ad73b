"""The real Jaeger as a process, and its query API."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from backend_otlp import Span, spans_of
from backend_processes import free_port, get, running, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOST = "127.0.0.2"  # its ports are never the Collector's


class Jaeger(NamedTuple):
    otlp_grpc: str
    """Where the Collector sends spans to, host and port."""
    url: str
    """Where the query API answers."""

    def trace(self, trace_id: str) -> list[Span]:
        """
        Return the spans of one trace, none while Jaeger does not know it.
        """
        status, body = get(f"{self.url}/api/v3/traces/{trace_id}")
        if status == 404:
            return []
        assert status == 200, (status, body)
        return list(spans_of(json.loads(body)["result"]))

    def search(self, service: str, *, depth: int = 2000) -> list[Span]:
        """
        Return the spans of the traces of *service* of the last hour.
        """
        now = datetime.now(timezone.utc)
        query = {
            "query.service_name": service,
            "query.start_time_min": (now - timedelta(hours=1)).isoformat(),
            "query.start_time_max": (now + timedelta(minutes=1)).isoformat(),
            "query.num_traces": depth,
        }
        status, body = get(f"{self.url}/api/v3/traces?{urlencode(query)}", timeout=15)
        if status == 404:
            return []
        assert status == 200, (status, body)
        return list(spans_of(json.loads(body)["result"]))

    def search_until(
        self,
        service: str,
        enough: Callable[[list[Span]], bool],
        *,
        within: float = 15,
    ) -> list[Span]:
        """
        Search until *enough* is true of the spans; return the last ones in any case.

        The caller's asserts say better than a time-out what is missing.
        """
        end = time.monotonic() + within
        while True:
            spans = self.search(service)
            if enough(spans) or time.monotonic() > end:
                return spans
            time.sleep(0.2)


@contextmanager
def running_jaeger(program: Path, folder: Path) -> Iterator[Jaeger]:
    """
    Run Jaeger with an empty store until the block ends.
    """
    names = ("health", "query", "query_grpc", "otlp", "otlp_http")
    addresses = {name: f"{HOST}:{free_port(HOST)}" for name in names}
    config = folder / "config.yaml"
    config.write_text(json.dumps(_config(addresses)))  # JSON is YAML
    with running("jaeger", [str(program), f"--config={config}"], folder) as process:
        wait_until_ready(process, f"http://{addresses['health']}/status")
        yield Jaeger(addresses["otlp"], f"http://{addresses['query']}")


def _config(addresses: dict[str, str]) -> dict[str, object]:
    def at(name: str) -> dict[str, str]:
        return {"endpoint": addresses[name]}

    return {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query", "healthcheckv2"],
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "exporters": ["jaeger_storage_exporter"],
                }
            },
            "telemetry": {"metrics": {"level": "none"}},
        },
        "extensions": {
            "healthcheckv2": {"use_v2": True, "http": at("health")},
            "jaeger_storage": {
                "backends": {"store": {"memory": {"max_traces": 20000}}}
            },
            "jaeger_query": {
                "storage": {"traces": "store"},
                "http": at("query"),
                "grpc": at("query_grpc"),
            },
        },
        "receivers": {
            "otlp": {"protocols": {"grpc": at("otlp"), "http": at("otlp_http")}}
        },
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "store"}},
    }
