"""
A ground: where the stack runs, and how its parts are started, stopped and killed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

ROOT = Path(__file__).resolve().parents[2]
COLLECTOR, JAEGER, LOGS = "otel-collector", "jaeger", "victoria-logs"
SERVICES = ("shop", "stock", "traffic")
PARTS = (COLLECTOR, JAEGER, LOGS, *SERVICES)

Model = dict[str, Any]
"""What ``docker compose config --format json`` says."""


class InTheWayError(Exception):
    """Something around the stack keeps it from running; one line says what to do."""


@dataclass(frozen=True)
class Addresses:
    shop: str
    stock: str
    traffic: str
    jaeger: str
    logs: str
    otlp: str
    metrics: str


class Ground(Protocol):
    name: str
    up_seconds: float

    @property
    def model(self) -> Model: ...

    @property
    def addresses(self) -> Addresses: ...

    def stop(self, part: str) -> None:
        """End a part as an operator would."""

    def kill(self, part: str) -> None:
        """End a part with SIGKILL."""

    def start(self, part: str) -> None:
        """Start a part that was stopped or killed."""

    def died(self) -> list[str]:
        """Name the parts that are not up, or that were started again by nobody."""

    def lines_by_stdout(self, *, otlp_as_well: bool) -> None:
        """Go over to the overlay docker-compose.stdout.yml."""

    def lines_by_otlp(self) -> None:
        """Go back to the stack as it is without the overlay."""

    def down(self) -> list[str]:
        """Take the stack down as its README says; name what is left of it."""

    def start_here(self) -> str:
        """Get what the stack says at the end of its start."""

    def memory(self) -> Mapping[str, str]: ...

    def inside(self) -> AbstractContextManager[Callable[[str], str]]:
        """Get what fetches a URL as the containers name it, such as http://jaeger:16686."""

    def tail(self) -> str:
        """Get the last lines of each part, for when something went wrong."""


def published(model: Model) -> dict[tuple[str, int], int]:
    """
    Return the port on this machine for each published port of each service.
    """
    return {
        (name, port["target"]): int(port["published"])
        for name, service in model["services"].items()
        for port in service.get("ports", ())
    }


def addresses(model: Model) -> Addresses:
    ports = published(model)

    def url(service: str, port: int) -> str:
        return f"http://127.0.0.1:{ports[service, port]}"

    return Addresses(
        shop=url("shop", 8080),
        stock=url("stock", 8080),
        traffic=url("traffic", 8080),
        jaeger=url(JAEGER, 16686),
        logs=url(LOGS, 9428),
        otlp=url(COLLECTOR, 4318),
        metrics=url(COLLECTOR, 9464),
    )


def where_to_look(model: Model, *, grafana: bool) -> list[str]:
    """
    Return the lines with URLs that the stack prints at the end of its start.
    """
    said = str(model["services"]["start-here"]["command"][1])
    lines = [line for line in said.splitlines() if "http" in line]
    return [line for line in lines if grafana or "Grafana: " not in line]


def model_of(text: str) -> Model:
    model: Model = json.loads(text)
    return model
