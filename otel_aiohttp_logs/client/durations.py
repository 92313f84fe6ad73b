"""
How long each call took, as a metric: only where somebody measures.

https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpclientrequestduration
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.server_attributes import (
    SERVER_ADDRESS,
    SERVER_PORT,
)
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME
from opentelemetry.semconv.metrics.http_metrics import HTTP_CLIENT_REQUEST_DURATION

from otel_aiohttp_logs._meter import meter_provider

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, MeterProvider

# Nothing of the URL but these: each combination of values is a series of its own.
NAMES = (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    ERROR_TYPE,
    NETWORK_PROTOCOL_VERSION,
    SERVER_ADDRESS,
    SERVER_PORT,
    URL_SCHEME,
)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class Durations:
    """The histogram ``http.client.request.duration``, once there is a provider."""

    def __init__(self, provider: MeterProvider | None) -> None:
        self._provider = provider
        self._histogram: Histogram | None = None

    def histogram(self) -> Histogram | None:
        """Return it; None as long as nobody has set a provider."""
        if self._histogram is None:
            provider = meter_provider(self._provider)
            if provider is not None:
                self._histogram = _made_by(provider)
        return self._histogram


def _made_by(provider: MeterProvider) -> Histogram:
    return provider.get_meter("otel_aiohttp_logs.client").create_histogram(
        HTTP_CLIENT_REQUEST_DURATION,
        unit="s",
        description="Duration of HTTP client requests.",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )
