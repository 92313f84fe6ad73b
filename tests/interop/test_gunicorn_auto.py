"""opentelemetry-instrument, gunicorn and us: what large services have in production."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from hooks.gunicorn_server import ROOT, Gunicorn
from interop_rows import AUTO

pytest.importorskip("gunicorn", reason="pip install gunicorn")
if not find_spec("opentelemetry.distro"):
    pytest.skip(
        "no opentelemetry-distro: pip install -e .[dev]", allow_module_level=True
    )

REQUESTS = 8


@pytest.fixture
def gunicorn(tmp_path, collector):
    """Started as ``opentelemetry-instrument`` does: by a sitecustomize of its own."""
    running = []

    def start(*options, **env):
        spec = find_spec("opentelemetry.instrumentation.auto_instrumentation")
        environment = {
            **AUTO,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_SERVICE_NAME": "shop",
            "PYTHONWARNINGS": "ignore",
            "PYTHONPATH": f"{Path(spec.origin).parent}:{ROOT}",
            **env,
        }
        running.append(
            Gunicorn(
                tmp_path, collector.endpoint, options, "gunicorn_shop:app", environment
            )
        )
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.mark.parametrize(
    "options",
    [(), ("--preload", "--workers", "2"), ("--access-logfile", "-")],
    ids=" ".join,
)
def test_each_once(gunicorn, collector, options):
    """One SERVER span and one event a request, each line once, gunicorn's too."""
    server = gunicorn(*options)
    paths = ["/", "/boom"] * (REQUESTS // 2)
    ids = [server.get(path)[1] for path in paths]
    server.stop()

    served = [span for span in collector.spans if span.proto.kind == 2]
    lines = Counter((x.scope, x.attributes.get("request_id")) for x in collector.logs)
    assert sorted(s.attributes["request_id"] for s in served) == sorted(ids)
    for path, request_id in zip(paths, ids, strict=True):
        said_by = "gunicorn.error" if path == "/boom" else "shop"
        assert lines[said_by, request_id] == 1
        assert lines["aiohttp.access", request_id] == 1
    counted = [
        point.count
        for metric in collector.metrics
        if metric.name == "http.server.request.duration"
        for point in metric.histogram.data_points
    ]
    assert sum(counted) == REQUESTS
