"""
Read OTLP's metrics in their JSON form: sums and histograms, of the latest state.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Point:
    """What one service has counted since its start, for one set of attributes."""

    service: str
    metric: str
    attributes: Mapping[str, str]
    count: int
    """Of a histogram how many were recorded, of a sum its value."""
    total: float = 0.0
    most: float = 0.0
    bounds: tuple[float, ...] = ()
    buckets: tuple[int, ...] = ()
    """How many up to each bound, and at the end how many above the last."""

    @property
    def series(self) -> tuple[object, ...]:
        """What tells it from other points, and has it replaced by the next one."""
        return (self.service, self.metric, *sorted(self.attributes.items()))


def read_points(data: bytes) -> list[Point]:
    """
    Return the points of an ``ExportMetricsServiceRequest``.

    Raises ``ValueError`` for whatever is no such request.
    """
    try:
        return list(_points(json.loads(data)))
    except (KeyError, TypeError, AttributeError, RecursionError) as exc:
        msg = f"not as OTLP's JSON has it: {exc!r}"
        raise ValueError(msg) from None


def _points(request: dict[str, Any]) -> Iterator[Point]:
    for of_resource in request["resourceMetrics"]:
        resource = _attributes(of_resource["resource"])
        service = resource.get("service.name", "")
        for of_scope in of_resource["scopeMetrics"]:
            for metric in of_scope["metrics"]:
                yield from _of_metric(service, metric)


def _of_metric(service: str, metric: dict[str, Any]) -> Iterator[Point]:
    name = metric["name"]
    for point in metric.get("sum", {}).get("dataPoints", ()):
        value = int(point["asInt"]) if "asInt" in point else round(point["asDouble"])
        yield Point(service, name, _attributes(point), value)
    for point in metric.get("histogram", {}).get("dataPoints", ()):
        yield Point(
            service,
            name,
            _attributes(point),
            count=int(point["count"]),
            total=float(point["sum"]),
            most=float(point["max"]),
            bounds=tuple(map(float, point["explicitBounds"])),
            buckets=tuple(map(int, point["bucketCounts"])),
        )


def _attributes(owner: dict[str, Any]) -> dict[str, str]:
    return {
        pair["key"]: str(next(iter(pair["value"].values())))
        for pair in owner["attributes"]
    }
