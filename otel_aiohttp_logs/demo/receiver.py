"""
Listen for OTLP over HTTP and keep what comes: by trace, and of metrics the latest.

Spans and lines come as protobuf, metrics as JSON, which is what the services send.
Memory is bounded: the oldest traces and series make room. ``Content-Encoding: gzip``
is undone by aiohttp.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from otel_aiohttp_logs.demo.figures import KINDS, Route, route_of
from otel_aiohttp_logs.demo.otlp import Line, Span, read_lines, read_spans
from otel_aiohttp_logs.demo.points import Point, read_points

if TYPE_CHECKING:
    import socket

MOST_TRACES = 5000
MOST_SERIES = 1000
MOST_BYTES = 16 * 1024 * 1024


@dataclass
class Trace:
    spans: list[Span] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass
class Received:
    """What has come so far."""

    traces: OrderedDict[str, Trace] = field(default_factory=OrderedDict)
    stray: deque[Line] = field(default_factory=lambda: deque(maxlen=MOST_TRACES))
    """The lines that belong to no request."""
    points: OrderedDict[tuple[object, ...], Point] = field(default_factory=OrderedDict)
    """The latest of each series."""
    routes: Counter[Route] = field(default_factory=Counter)
    """How many spans there were of what is measured, of all traces that ever came."""
    spans: int = 0
    lines: int = 0
    refused: list[str] = field(default_factory=list)
    """Why bodies that are no OTLP were refused."""

    def add_spans(self, data: bytes) -> None:
        for span in read_spans(data):
            self._trace(span.trace_id).spans.append(span)
            self.spans += 1
            if span.kind in KINDS:
                metric = KINDS[span.kind]
                self.routes[route_of(span.service, metric, span.attributes)] += 1

    def add_lines(self, data: bytes) -> None:
        for line in read_lines(data):
            if line.trace_id:
                self._trace(line.trace_id).lines.append(line)
            else:
                self.stray.append(line)
            self.lines += 1

    def add_points(self, data: bytes) -> None:
        for point in read_points(data):
            self.points[point.series] = point
            while len(self.points) > MOST_SERIES:
                self.points.popitem(last=False)

    def _trace(self, trace_id: str) -> Trace:
        trace = self.traces.setdefault(trace_id, Trace())
        while len(self.traces) > MOST_TRACES:
            self.traces.popitem(last=False)
        return trace


def application(received: Received) -> web.Application:
    takers = {
        "/v1/traces": (received.add_spans, "protobuf"),
        "/v1/logs": (received.add_lines, "protobuf"),
        "/v1/metrics": (received.add_points, "JSON"),
    }

    async def take(request: web.Request) -> web.Response:
        add, kind = takers[request.path]
        try:
            add(await request.read())
        except ValueError as exc:
            del received.refused[20:]
            received.refused.append(f"{request.path}: {exc}")
            raise web.HTTPBadRequest(text=f"no OTLP {kind}: {exc}\n") from None
        # An empty Export...ServiceResponse.
        if kind == "JSON":
            return web.json_response({})
        return web.Response(body=b"", content_type="application/x-protobuf")

    app = web.Application(client_max_size=MOST_BYTES)
    for path in takers:
        app.router.add_post(path, take)
    return app


async def listen(received: Received, sock: socket.socket) -> web.AppRunner:
    """Serve *received* on *sock*; the caller cleans the returned runner up."""
    runner = web.AppRunner(application(received), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    return runner
