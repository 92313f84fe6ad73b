"""The compiled twin of how a request begins, told what it works with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.semconv.attributes.client_attributes import CLIENT_ADDRESS
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.url_attributes import URL_PATH, URL_SCHEME
from opentelemetry.semconv.attributes.user_agent_attributes import USER_AGENT_ORIGINAL
from opentelemetry.trace import SpanKind

from otel_aiohttp_logs.record.twins import native
from otel_aiohttp_logs.request import attributes
from otel_aiohttp_logs.scope.request import REQUEST, SPAN, RequestScope
from otel_aiohttp_logs.span import ids, span, tracer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from aiohttp import web

    from otel_aiohttp_logs.request.instruments import Instruments
    from otel_aiohttp_logs.request.serve import ServedRequest

_NAMES = {
    "method_name": HTTP_REQUEST_METHOD,
    "path_name": URL_PATH,
    "scheme_name": URL_SCHEME,
    "version_name": NETWORK_PROTOCOL_VERSION,
    "route_name": HTTP_ROUTE,
    "client_name": CLIENT_ADDRESS,
    "agent_name": USER_AGENT_ORIGINAL,
    "id_name": "request_id",
}


def compiled_begin(
    instruments: Instruments, served_type: type[ServedRequest]
) -> Callable[[web.Request], ServedRequest | None] | None:
    """
    Return what begins a request with *instruments*, None where nothing is compiled.

    It answers None to a request that it leaves to ``ServedRequest()``.
    """
    own = instruments.tracer
    special = instruments.metrics is not None or instruments.span_begun is not None
    if native is None or special or not isinstance(own, tracer.OwnTracer):
        return None
    things: dict[str, Any] = {
        "served_type": served_type,
        "span_type": span.RecordingSpan,
        "scope_type": RequestScope,
        "context_type": Context,
        "instruments": instruments,
        "tracer": own,
        "provider": own.provider,
        "scope": own.scope,
        "kind": SpanKind.SERVER,
        "no_state": span.NO_STATE,
        "unset": span.UNSET,
        "none_dropped": span.NONE_DROPPED,
        "lenient": tracer.LENIENT,
        "span_key": SPAN,
        "request_key": REQUEST,
        "context_var": otel_context._RUNTIME_CONTEXT._current_context,  # type: ignore[attr-defined]  # noqa: SLF001 (record.twins has looked at it)
        "extract": instruments.extract,
        "id_for": instruments.request_ids.id_for,
        "parent_of": tracer.parent_of,
        "trace_bits": ids.new_trace_id,
        "span_bits": ids.new_span_id,
        "time_ns": time.time_ns,
        "perf_counter": time.perf_counter,
        "methods": attributes.METHODS,
        "attributes_of": attributes.request_attributes,
        "server_address": attributes.server_address,
        "version_of": attributes.version_of,
        "unrecorded": tracer.unrecorded,
    }
    begin: Callable[[web.Request], ServedRequest | None] = native.Begin(
        **things, **_NAMES
    )
    return begin
