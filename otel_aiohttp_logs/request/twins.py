"""The compiled twins of how a request is served, told what they work with."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import hdrs, web
from multidict import istr
from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.semconv.attributes.client_attributes import CLIENT_ADDRESS
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.url_attributes import URL_PATH, URL_SCHEME
from opentelemetry.semconv.attributes.user_agent_attributes import USER_AGENT_ORIGINAL
from opentelemetry.trace import SpanKind

from otel_aiohttp_logs.record.twins import native
from otel_aiohttp_logs.request import attributes
from otel_aiohttp_logs.request.request_id import RESPONSE_HEADER
from otel_aiohttp_logs.scope.request import REQUEST, SPAN, RequestScope
from otel_aiohttp_logs.span import sampling, span, tracer
from otel_aiohttp_logs.span.propagation import NOTHING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from otel_aiohttp_logs.request.event import Events
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
    "status_name": HTTP_RESPONSE_STATUS_CODE,
    "duration_name": "duration",
    "first_byte_name": "time_to_first_byte",
    "size_name": "http.response.size",
    "outcome_name": "outcome",
    "agent_header": hdrs.USER_AGENT,
    "host_header": hdrs.HOST,
    "response_header": istr(RESPONSE_HEADER),
}

Begin: TypeAlias = "Callable[[web.Request], ServedRequest | None]"
Responding: TypeAlias = "Callable[[web.Request, web.StreamResponse], Awaitable[None]]"


def compiled_begin(
    instruments: Instruments,
    served_type: type[ServedRequest],
    served_key: object,
    fallback: Begin,
) -> Begin | None:
    """
    Return what begins a request with *instruments*, None where nothing is compiled.

    It leaves whatever is unusual to *fallback*.
    """
    own = instruments.tracer
    special = instruments.metrics is not None or instruments.span_begun is not None
    if native is None or special or not isinstance(own, tracer.OwnTracer):
        return None
    things: dict[str, Any] = {
        **_of_spans(own),
        **_of_instruments(instruments),
        **_of_events(instruments.events),
        "served_type": served_type,
        "served_key": served_key,
        "fallback": fallback,
        "ending_type": native.Ending,
        "websocket_type": web.WebSocketResponse,
        "request_type": web.Request,
        "scope_type": RequestScope,
        "context_type": Context,
        "span_key": SPAN,
        "request_key": REQUEST,
        "context_var": otel_context._RUNTIME_CONTEXT._current_context,  # type: ignore[attr-defined]  # noqa: SLF001 (record.twins has looked at it)
        "time": time.time,
        "time_ns": time.time_ns,
        "perf_counter": time.perf_counter,
        "current_task": asyncio.current_task,
        "running_loop": asyncio.get_running_loop,
        "methods": attributes.METHODS,
        "attributes_of": attributes.request_attributes,
        "server_address": attributes.server_address,
        "version_of": attributes.version_of,
    }
    begin: Begin = native.Begin(**things, **_NAMES)
    return begin


def _of_spans(own: tracer.OwnTracer) -> dict[str, Any]:
    return {
        "span_type": span.RecordingSpan,
        "most": span.RecordingSpan.most,
        "unrecorded_type": tracer.UnrecordedSpan,
        "tracer": own,
        "provider": own.provider,
        "scope": own.scope,
        "kind": SpanKind.SERVER,
        "no_state": span.NO_STATE,
        "unset": span.UNSET,
        "none_dropped": span.NONE_DROPPED,
        "lenient": tracer.LENIENT,
        "parent_of": tracer.parent_of,
        "of_roots": sampling.OF_ROOTS,
    }


def _of_instruments(instruments: Instruments) -> dict[str, Any]:
    needs = instruments.extract.needs
    return {
        "instruments": instruments,
        "extract": instruments.extract,
        "extracts": None if needs is None else tuple(map(istr, needs)),
        "nothing": NOTHING,
        "id_for": instruments.request_ids.id_for,
        "makes_ids": instruments.request_ids.makes_all,
    }


def _of_events(events: Events | None) -> dict[str, Any]:
    writes = events is not None and not events.only_if_unsaid
    return {
        "write_event": events.write_plain if events and writes else None,
        "event_wanted": events.wants if events and not events.quiet_routes else None,
        "info": logging.INFO,
        "ok": "ok",
    }


def responding(twin: Responding) -> Responding:
    """Return the receiver of ``on_response_prepare`` that does what *twin* does."""
    if native is None:
        return twin
    receiver: Responding = native.Responding(twin, native.Done())
    return receiver


def know_begin(receiver: Responding, begin: Begin | None) -> None:
    """Tell *receiver* what begins the requests from now on."""
    if native and isinstance(receiver, native.Responding):
        receiver.begin = begin
