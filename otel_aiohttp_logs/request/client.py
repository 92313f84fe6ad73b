"""
The client side: a span for each request that the application makes.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from opentelemetry import propagate, trace
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
)
from opentelemetry.semconv.attributes.server_attributes import (
    SERVER_ADDRESS,
    SERVER_PORT,
)
from opentelemetry.semconv.attributes.url_attributes import URL_FULL
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

from otel_aiohttp_logs.record.exceptions import error_text
from otel_aiohttp_logs.request.attributes import redacted_query, span_name

if TYPE_CHECKING:
    from types import SimpleNamespace

    from opentelemetry.trace import TracerProvider
    from yarl import URL


def client_trace_config(
    *, tracer_provider: TracerProvider | None = None
) -> aiohttp.TraceConfig:
    """
    Return a configuration for ``ClientSession(trace_configs=[…])``.

    Each request gets a CLIENT span under the current one, and the headers that let
    the called service continue the trace. The span ends when the headers of the
    answer are there, or when the request failed.
    """
    tracer = trace.get_tracer(
        "otel_aiohttp_logs.client", tracer_provider=tracer_provider
    )
    config = aiohttp.TraceConfig()

    async def start(
        _: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestStartParams,
    ) -> None:
        span = tracer.start_span(
            span_name(params.method, None),
            kind=SpanKind.CLIENT,
            attributes=_attributes(params.method, params.url),
        )
        context.otel_span = span
        propagate.inject(params.headers, set_span_in_context(span))

    async def end(
        _: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        span, status = context.otel_span, params.response.status
        span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
        if status >= 400:
            span.set_attribute(ERROR_TYPE, str(status))
            span.set_status(StatusCode.ERROR)
        span.end()

    async def fail(
        _: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestExceptionParams,
    ) -> None:
        span, error = context.otel_span, params.exception
        span.set_attribute(ERROR_TYPE, type(error).__qualname__)
        span.set_status(StatusCode.ERROR, error_text(error))
        span.end()

    config.on_request_start.append(start)
    config.on_request_end.append(end)
    config.on_request_exception.append(fail)
    return config


def _attributes(method: str, url: URL) -> dict[str, str | int]:
    shown = url.with_user(None)
    text = str(shown.with_query(None).with_fragment(None))
    if shown.raw_query_string:
        text = f"{text}?{redacted_query(shown.raw_query_string)}"
    return {
        HTTP_REQUEST_METHOD: method,
        URL_FULL: text,
        SERVER_ADDRESS: url.host or "",
        SERVER_PORT: url.port or 0,
    }
