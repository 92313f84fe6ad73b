"""
Metrics of the requests served, for a MeterProvider that somebody set.

https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#http-server
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.server_attributes import (
    SERVER_ADDRESS,
    SERVER_PORT,
)
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME

from otel_aiohttp_logs._meter import meter_provider
from otel_aiohttp_logs._version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import Histogram, MeterProvider

    from otel_aiohttp_logs.request.outcome import Outcome

DURATION = "http.server.request.duration"
ACTIVE = "http.server.active_requests"  # no stable name yet, so not imported
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Seconds: what the conventions advise."""

_OF_ACTIVE = (HTTP_REQUEST_METHOD, URL_SCHEME)
_OF_DURATION = (*_OF_ACTIVE, HTTP_ROUTE, NETWORK_PROTOCOL_VERSION)

_OLD_NAMES = {
    HTTP_REQUEST_METHOD: "http.method",
    URL_SCHEME: "http.scheme",
    NETWORK_PROTOCOL_VERSION: "http.flavor",
    SERVER_ADDRESS: "net.host.name",
    SERVER_PORT: "net.host.port",
}

Value: TypeAlias = str | int | float


class ServerMetrics:
    """
    Counts the requests that are being served, and measures how long each takes.

    *attributes* are those of the request's span; the few that are known to have few
    values are taken from them.
    """

    __slots__ = ("_active", "_duration", "_old_duration")

    def __init__(self, provider: MeterProvider, old_duration: Histogram | None) -> None:
        self._old_duration = old_duration
        meter = provider.get_meter("otel_aiohttp_logs", VERSION)
        self._active = meter.create_up_down_counter(
            ACTIVE, "{request}", "Number of active HTTP server requests."
        )
        self._duration = meter.create_histogram(
            DURATION,
            "s",
            "Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    def began(self, attributes: Mapping[str, Value], context: Context) -> None:
        self._active.add(1, _counted(*map(attributes.get, _OF_ACTIVE)), context)

    def ended(
        self,
        attributes: Mapping[str, Value],
        seconds: float,
        context: Context,
        outcome: Outcome,
    ) -> None:
        """
        Count one fewer, and record its *seconds*.

        *context* holds the request's span, which may become the exemplar.
        """
        self._active.add(-1, _counted(*map(attributes.get, _OF_ACTIVE)), context)
        values = tuple(map(attributes.get, _OF_DURATION))
        measured = _measured((*values, outcome.status, outcome.error_type))
        self._duration.record(seconds, measured, context)
        if self._old_duration is not None:
            old = _in_old_names(tuple(map(attributes.get, _OLD_NAMES)), outcome.status)
            self._old_duration.record(round(seconds * 1000), old, context)


def server_metrics(
    given: MeterProvider | None, old_duration: Histogram | None = None
) -> ServerMetrics | None:
    """
    Return the instruments of the provider *given*, or else of the global one.

    None if nobody set any: then no request does anything for its metrics. An
    *old_duration* gets each request's milliseconds as well, with the attributes that
    it had before there were stable conventions.
    """
    provider = meter_provider(given)
    return None if provider is None else ServerMetrics(provider, old_duration)


@lru_cache(maxsize=64)
def _counted(method: Value | None, scheme: Value | None) -> Mapping[str, Value]:
    return _present(_OF_ACTIVE, (method, scheme))


@lru_cache(maxsize=1024)  # as many as there are routes, times their answers
def _measured(values: tuple[Value | None, ...]) -> Mapping[str, Value]:
    return _present((*_OF_DURATION, HTTP_RESPONSE_STATUS_CODE, ERROR_TYPE), values)


@lru_cache(maxsize=1024)
def _in_old_names(
    values: tuple[Value | None, ...], status: int | None
) -> Mapping[str, Value]:
    host, port = values[-2:]
    authority = host if host is None or port is None else f"{host}:{port}"
    names = (*_OLD_NAMES.values(), "http.status_code", "http.host", "http.server_name")
    return _present(names, (*values, status, host, authority))


def _present(
    names: tuple[str, ...], values: tuple[Value | None, ...]
) -> Mapping[str, Value]:
    pairs = zip(names, values, strict=True)
    return {name: value for name, value in pairs if value is not None}
