"""
A Collector that misbehaves on request: a real server on a real socket.

It runs in a thread and a loop of its own, so that it also answers while the test's
loop is blocked, and can be used by tests that start other processes.
"""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse | None]]

POLL = 0.005


@dataclass(frozen=True)
class Received:
    """A span or a log record as it arrived, with plain ids and attributes."""

    resource: Mapping[str, Any]
    scope: str
    proto: Any
    """The message of ``opentelemetry-proto``, for whatever isn't below."""
    trace_id: str
    span_id: str
    attributes: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of a span."""
        return self.proto.name

    @property
    def parent_id(self) -> str:
        """The parent of a span, 16 hex digits or empty."""
        return self.proto.parent_span_id.hex()

    @property
    def body(self) -> Any:
        """The message of a log record."""
        return plain(self.proto.body)


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    size: int
    """Of the body as it was sent, so usually compressed."""
    records: int
    connection: int
    """The port that it came from: the same for one connection."""
    time: float = field(default_factory=time.monotonic)


class FakeCollector:
    """
    Receives OTLP over HTTP and keeps ``spans``, ``logs``, ``metrics``, ``requests``.

    ``stop`` and ``start`` make an outage; the port stays the same.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self.spans: list[Received] = []
        self.logs: list[Received] = []
        self.metrics: list[Any] = []
        """Messages of ``opentelemetry-proto``: each metric as often as it came."""
        self.requests: list[Request] = []
        self.attempts: list[float] = []
        """When each request came, answered well or not."""
        self._ssl = ssl_context
        self._port = 0
        self._misbehaviour: deque[Misbehaviour] = deque()
        self._loop = asyncio.SelectorEventLoop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.start()

    @property
    def endpoint(self) -> str:
        """What ``OTEL_EXPORTER_OTLP_ENDPOINT`` is to be set to."""
        return f"{'https' if self._ssl else 'http'}://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._call(self._start())

    def stop(self) -> None:
        """Close all connections, and refuse new ones. What was received stays."""
        self._call(self._stop())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def fail_next(
        self, status: int, *, times: int = 1, retry_after: str | float | None = None
    ) -> None:
        """Answer the next requests with *status*, and keep nothing of them."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}

        async def fail(_: web.Request) -> web.Response:
            return web.Response(status=status, headers=headers)

        self._misbehaviour.extend([fail] * times)

    def hang_next(self, seconds: float = 60, *, times: int = 1) -> None:
        """Leave the next requests without an answer for *seconds*."""

        async def hang(_: web.Request) -> web.Response:
            await asyncio.sleep(seconds)
            return web.Response(status=503)

        self._misbehaviour.extend([hang] * times)

    def drop_next(self, *, times: int = 1) -> None:
        """Close the connection of the next requests instead of answering."""

        async def drop(request: web.Request) -> web.Response:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

        self._misbehaviour.extend([drop] * times)

    def reject_next(self, number: int, message: str = "") -> None:
        """Accept the next request, but say that *number* of its records aren't kept."""

        async def reject(request: web.Request) -> web.Response:
            if request.path == "/v1/logs":
                logs = ExportLogsServiceResponse()
                logs.partial_success.rejected_log_records = number
                logs.partial_success.error_message = message
                return _answer(logs.SerializeToString())
            traces = ExportTraceServiceResponse()
            traces.partial_success.rejected_spans = number
            traces.partial_success.error_message = message
            return _answer(traces.SerializeToString())

        self._misbehaviour.append(reject)

    def answer_next(
        self,
        body: bytes,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next request with *body*, which may be garbage; keep nothing."""

        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, status=status, headers=headers)

        self._misbehaviour.append(answer)

    async def wait_for_spans(
        self, number: int = 1, timeout: float = 10
    ) -> list[Received]:
        """Return the spans as soon as there are *number*; more are an error, too."""
        await self.wait_until(lambda: len(self.spans) >= number, timeout)
        assert len(self.spans) == number, [span.name for span in self.spans]
        return list(self.spans)

    async def wait_for_logs(
        self, number: int = 1, timeout: float = 10
    ) -> list[Received]:
        """Return the log records as soon as there are *number*, as above."""
        await self.wait_until(lambda: len(self.logs) >= number, timeout)
        assert len(self.logs) == number, [log.body for log in self.logs]
        return list(self.logs)

    async def wait_until(self, true: Callable[[], bool], timeout: float = 10) -> None:
        """Poll *true*, and fail after *timeout* seconds with what has arrived."""
        until = time.monotonic() + timeout
        while not true():
            got = f"{len(self.spans)} spans, {len(self.logs)} logs"
            assert time.monotonic() < until, f"only {got} in {timeout} s"
            await asyncio.sleep(POLL)

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        app = web.Application(client_max_size=64 << 20)
        for signal in ("traces", "logs", "metrics"):
            app.router.add_post("/v1/" + signal, self._receive)
            # As behind a gateway.
            app.router.add_post("/otlp/v1/" + signal, self._receive)
        self._runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner,
            "127.0.0.1",
            self._port,
            ssl_context=self._ssl,
            reuse_address=True,
        )
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        if self._runner is not None:
            with suppress(asyncio.CancelledError):
                await self._runner.cleanup()
            self._runner = None
        # Those that hang don't notice that their connection is closed.
        hanging = asyncio.all_tasks() - {asyncio.current_task()}
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        self.attempts.append(time.monotonic())
        sent = await request.read()
        if self._misbehaviour:
            answer = await self._misbehaviour.popleft()(request)
            if answer is not None:
                return answer
        zipped = request.headers.get("Content-Encoding") == "gzip"
        body = gzip.decompress(sent) if zipped else sent
        if request.path.endswith("/v1/logs"):
            received = _logs(ExportLogsServiceRequest.FromString(body))
            self.logs += received
            response = ExportLogsServiceResponse().SerializeToString()
        elif request.path.endswith("/v1/metrics"):
            received = _metrics(ExportMetricsServiceRequest.FromString(body))
            self.metrics += received
            response = ExportMetricsServiceResponse().SerializeToString()
        else:
            received = _spans(ExportTraceServiceRequest.FromString(body))
            self.spans += received
            response = ExportTraceServiceResponse().SerializeToString()
        port = request.transport.get_extra_info("peername")[1]
        self.requests.append(
            Request(request.path, dict(request.headers), len(sent), len(received), port)
        )
        return _answer(response)


def plain(value: Any) -> Any:
    """Return an ``AnyValue`` as what it stands for."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    content = getattr(value, kind)
    if kind == "array_value":
        return [plain(item) for item in content.values]
    if kind == "kvlist_value":
        return plain_attributes(content.values)
    return content


def plain_attributes(pairs: Any) -> dict[str, Any]:
    attributes = {pair.key: plain(pair.value) for pair in pairs}
    assert len(attributes) == len(pairs), "a key twice"
    return attributes


def _answer(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/x-protobuf")


def _logs(message: ExportLogsServiceRequest) -> list[Received]:
    return [
        _received(group, scope, record)
        for group in message.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]


def _spans(message: ExportTraceServiceRequest) -> list[Received]:
    return [
        _received(group, scope, span)
        for group in message.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _metrics(message: ExportMetricsServiceRequest) -> list[Any]:
    return [
        metric
        for group in message.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    ]


def _received(group: Any, scope: Any, proto: Any) -> Received:
    return Received(
        resource=plain_attributes(group.resource.attributes),
        scope=scope.scope.name,
        proto=proto,
        trace_id=proto.trace_id.hex(),
        span_id=proto.span_id.hex(),
        attributes=plain_attributes(proto.attributes),
    )
