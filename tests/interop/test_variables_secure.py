"""Certificates and gRPC: variables for which the Collector has to be another one."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from aiohttp import web
from export.certificates import NO_OPENSSL, REMEDY, make_certificates, tls_collector
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

from otel_aiohttp_logs import instrument_app

log = logging.getLogger("shop")
E = "OTEL_EXPORTER_OTLP"


async def ok(request):
    log.info("handling")
    return web.Response()


@pytest.fixture
def ask(serve, quick_export, records):
    """Serve one request, with the variables as they are, and end."""

    async def ask(pipeline):
        app = web.Application()
        app.router.add_get("/", ok)
        instrument_app(app, pipeline=pipeline, access_log="none")
        client = await serve(app)
        await client.get("/")
        await client.close()

    return ask


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    if NO_OPENSSL:
        pytest.skip(REMEDY)
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.mark.parametrize("signal", ["", "both"])
async def test_certificates(ask, pipeline, certificates, monkeypatch, signal):
    """The Collector's is checked, ours is shown; by one variable or one each."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)  # upstream's library prefers them
    collector = tls_collector(certificates, client_certificate=True)
    monkeypatch.setenv(f"{E}_ENDPOINT", collector.endpoint)
    for prefix in ("TRACES_", "LOGS_") if signal else ("",):
        for name, file in (
            ("CERTIFICATE", "server.pem"),
            ("CLIENT_CERTIFICATE", "client.pem"),
            ("CLIENT_KEY", "client.key"),
        ):
            monkeypatch.setenv(f"{E}_{prefix}{name}", str(certificates / file))
    try:
        await ask(pipeline)
        arrived = len(collector.spans), len(collector.logs)
    finally:
        collector.close()

    assert arrived == (1, 1)


class GrpcCollector(trace_grpc.TraceServiceServicer, logs_grpc.LogsServiceServicer):
    """Both services of OTLP by one method: the request says which it is."""

    def __init__(self):
        self.spans, self.logs = [], []
        self._server = grpc.server(ThreadPoolExecutor(2))
        trace_grpc.add_TraceServiceServicer_to_server(self, self._server)
        logs_grpc.add_LogsServiceServicer_to_server(self, self._server)
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Export(self, request, context):  # noqa: N802 (gRPC's name)
        if isinstance(request, logs_pb2.ExportLogsServiceRequest):
            scopes = [s for r in request.resource_logs for s in r.scope_logs]
            self.logs += [line for scope in scopes for line in scope.log_records]
            return logs_pb2.ExportLogsServiceResponse()
        scopes = [s for r in request.resource_spans for s in r.scope_spans]
        self.spans += [span for scope in scopes for span in scope.spans]
        return trace_pb2.ExportTraceServiceResponse()

    def close(self):
        self._server.stop(None).wait(5)


async def test_grpc(ask, monkeypatch):
    """OTEL_EXPORTER_OTLP_PROTOCOL=grpc, with pipeline="sdk"."""
    collector = GrpcCollector()
    monkeypatch.setenv(f"{E}_PROTOCOL", "grpc")
    monkeypatch.setenv(f"{E}_ENDPOINT", f"http://{collector.endpoint}")
    try:
        await ask("sdk")
    finally:
        collector.close()

    ((span,), (line,)) = collector.spans, collector.logs
    assert span.name == "GET /"
    assert line.body.string_value == "handling"
    assert line.span_id == span.span_id
