"""
An OTLP receiver that counts, in a process of its own.

    python receiver.py LISTENING_DESCRIPTOR [keep]

Each sender has a path of its own (``/ours/v1/logs``). ``GET /counts`` says how many
records came from each; with ``keep``, ``GET /kept`` says what was in them.
"""

from __future__ import annotations

import os
import socket
import sys
from collections import Counter, defaultdict

from aiohttp import web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

counts: Counter[str] = Counter()
kept: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
keep = sys.argv[2:] == ["keep"]


async def take(request: web.Request) -> web.Response:
    body = await request.read()  # what was gzipped is no longer
    sender, signal = request.match_info["sender"], request.match_info["signal"]
    groups = _groups(signal, body)
    key = f"{sender} {signal}"
    counts[key] += sum(len(group) for group in groups)
    if keep:
        records = [record for group in groups for record in group]
        kept[key] += [(r.trace_id.hex(), _text(signal, r)) for r in records]
    return web.Response(body=b"", content_type="application/x-protobuf")


def _groups(signal: str, body: bytes) -> list:
    """Return the records by scope: they are counted without a look at each."""
    if signal == "logs":
        logs = ExportLogsServiceRequest.FromString(body).resource_logs
        return [scope.log_records for resource in logs for scope in resource.scope_logs]
    spans = ExportTraceServiceRequest.FromString(body).resource_spans
    return [scope.spans for resource in spans for scope in resource.scope_spans]


def _text(signal: str, record) -> str:
    if signal != "logs":
        return record.name
    return f"{record.body.string_value} {_message(record)}"


def _message(record) -> str:
    """Return the message of the exception: the error line says which request by it."""
    for attribute in record.attributes:
        if attribute.key == "exception.message":
            return attribute.value.string_value
    return ""


async def get_counts(_: web.Request) -> web.Response:
    return web.json_response(counts)


async def get_kept(_: web.Request) -> web.Response:
    return web.json_response(kept)


def main() -> None:
    os.nice(5)  # the generator of the load is on the same core, and goes first
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/{sender}/v1/{signal}", take)
    app.router.add_get("/counts", get_counts)
    app.router.add_get("/kept", get_kept)
    listening = socket.socket(fileno=int(sys.argv[1]))
    web.run_app(app, sock=listening, access_log=None, print=None, shutdown_timeout=0.1)


if __name__ == "__main__":
    main()
