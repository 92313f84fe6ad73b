"""
What a service measures goes out over OTLP, with nothing installed for it.

An application would set a provider of its own choice, most with the exporter of the
package ``opentelemetry-exporter-otlp``. This one writes OTLP's JSON form, which a
Collector takes as well; the SDK counts, and says when to send.
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, Request, build_opener

from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    Histogram,
    MetricExporter,
    MetricExportResult,
    PeriodicExportingMetricReader,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.sdk.metrics.export import (
        HistogramDataPoint,
        Metric,
        MetricsData,
        NumberDataPoint,
    )

log = logging.getLogger("metrics")

LONGEST = 2.0
"""Seconds: a Collector that hangs must not hold up the end of a service."""


def measure() -> None:
    """
    Set a global provider that sends to ``OTEL_EXPORTER_OTLP_ENDPOINT``.

    Without that variable nothing is measured.
    """
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if endpoint:
        reader = PeriodicExportingMetricReader(JSONExporter(endpoint))
        metrics.set_meter_provider(MeterProvider([reader]))


class JSONExporter(MetricExporter):
    """
    Sends to *endpoint*; logs once when it fails, and once when it goes on.

    All that is sent is cumulative: what one request loses, the next one makes up for.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._url = f"{endpoint.rstrip('/')}/v1/metrics"
        self._open = build_opener(ProxyHandler({})).open
        self._failing = False

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: object
    ) -> MetricExportResult:
        request = Request(  # noqa: S310 (the endpoint is the operator's)
            self._url,
            json.dumps(as_json(metrics_data)).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            self._open(request, timeout=min(LONGEST, timeout_millis / 1000)).close()
        except OSError as exc:
            if not self._failing:
                log.warning("metrics_not_sent", extra={"reason": str(exc)})
            self._failing = True
            return MetricExportResult.FAILURE
        if self._failing:
            log.info("metrics_sent_again")
        self._failing = False
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 (nothing is held back)
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: object) -> None:
        """Do nothing: each export ends its own connection."""


def as_json(data: MetricsData) -> dict[str, Any]:
    """
    Return an ``ExportMetricsServiceRequest``.

    https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
    """
    return {
        "resourceMetrics": [
            {
                "resource": {"attributes": _pairs(of_resource.resource.attributes)},
                "scopeMetrics": [
                    {
                        "scope": {"name": of_scope.scope.name},
                        "metrics": list(_metrics(of_scope.metrics)),
                    }
                    for of_scope in of_resource.scope_metrics
                ],
            }
            for of_resource in data.resource_metrics
        ]
    }


def _metrics(found: Iterable[Metric]) -> Iterable[dict[str, Any]]:
    for metric in found:
        about = {
            "name": metric.name,
            "unit": metric.unit,
            "description": metric.description,
        }
        data = metric.data
        if isinstance(data, Sum):
            points: list[dict[str, Any]] = [_sum(p) for p in data.data_points]
            how: dict[str, Any] = {"isMonotonic": data.is_monotonic}
            kind = "sum"
        elif isinstance(data, Histogram):
            points, how = [_histogram(p) for p in data.data_points], {}
            kind = "histogram"
        else:  # gauges and the like: nothing here makes any
            continue
        how["aggregationTemporality"] = data.aggregation_temporality
        yield {**about, kind: {**how, "dataPoints": points}}


def _sum(point: NumberDataPoint) -> dict[str, Any]:
    value = point.value
    number = {"asInt": str(value)} if isinstance(value, int) else {"asDouble": value}
    return {**_point(point), **number}


def _histogram(point: HistogramDataPoint) -> dict[str, Any]:
    return {
        **_point(point),
        "count": str(point.count),
        "sum": point.sum,
        "bucketCounts": [str(count) for count in point.bucket_counts],
        "explicitBounds": list(point.explicit_bounds),
        "min": point.min,
        "max": point.max,
    }


def _point(point: NumberDataPoint | HistogramDataPoint) -> dict[str, Any]:
    return {
        "attributes": _pairs(point.attributes or {}),
        "startTimeUnixNano": str(point.start_time_unix_nano),
        "timeUnixNano": str(point.time_unix_nano),
    }


def _pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": str(value)}
