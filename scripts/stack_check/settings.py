"""
The same configurations for plain processes: only addresses and folders differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack_check.ground import COLLECTOR, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stack_check.ground import Addresses


def jaeger_words(page_port: int, free: Mapping[str, int], page: Path) -> list[str]:
    query = "extensions::jaeger_query"
    otlp = "receivers::otlp::protocols"
    return _words(
        [ROOT / "demo/jaeger/config.yaml"],
        {
            "extensions::healthcheckv2::http::endpoint": _here(free["health"]),
            f"{query}::http::endpoint": _here(page_port),
            f"{query}::grpc::endpoint": _here(free["query"]),
            f"{query}::ui::config_file": str(page),
            f"{otlp}::grpc::endpoint": _here(free["otlp"]),
            f"{otlp}::http::endpoint": _here(0),
        },
    )


def collector_words(
    here: Addresses,
    ports: Mapping[tuple[str, int], int],
    free: Mapping[str, int],
    overlay: Path | None,
) -> list[str]:
    otlp = "receivers::otlp::protocols"
    lines = f"{here.logs}/insert/opentelemetry/v1/logs"
    files = [ROOT / "collector-config.yaml"]
    changed = {
        "extensions::health_check::endpoint": _here(free["ready"]),
        f"{otlp}::grpc::endpoint": _here(ports[COLLECTOR, 4317]),
        f"{otlp}::http::endpoint": _here(ports[COLLECTOR, 4318]),
        "exporters::otlp_grpc/jaeger::endpoint": _here(free["otlp"]),
        "exporters::otlp_http/logs::logs_endpoint": lines,
        "exporters::prometheus::endpoint": _here(ports[COLLECTOR, 9464]),
        "service::telemetry::metrics::level": "none",
    }
    if overlay:
        files.append(ROOT / "demo/collector/stdout.yaml")
        changed["receivers::file_log::include"] = f"[{overlay / 'stdout'}/*.jsonl]"
        changed["extensions::file_storage::directory"] = str(overlay / "state")
    return _words(files, changed)


def service_environment(
    given: Mapping[str, str], port: int, here: Addresses
) -> dict[str, str]:
    """
    Return what the Compose file gives a service, with the names of hosts replaced.
    """
    names = {
        "http://otel-collector:4318": here.otlp,
        "http://shop:8080": here.shop,
        "http://stock:8080": here.stock,
    }
    env = {key: names.get(value, value) for key, value in given.items()}
    return {**env, "HOST": "127.0.0.1", "PORT": str(port)}


def _words(files: list[Path], changed: Mapping[str, str]) -> list[str]:
    settings = [f"yaml:{path}: {value}" for path, value in changed.items()]
    return [f"--config={source}" for source in [*files, *settings]]


def _here(port: int) -> str:
    return f"127.0.0.1:{port}"
