"""The rows of the matrix: what an application has besides us, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PATHS = ("/ok/1", "/ok/2", "/fail/3", "/sub/ok/4", "/sub/fail/5", "/none/6")


@dataclass(frozen=True)
class Row:
    name: str
    steps: str
    """Methods of ``interop_service.Steps``."""
    env: Mapping[str, str] = field(default_factory=dict)
    auto: bool = False
    """Started by ``opentelemetry-instrument``."""
    paths: tuple[str, ...] = PATHS
    calls: bool = False
    """The aiohttp client is instrumented by contrib: its spans are to be there."""

    @property
    def prints(self) -> bool:
        """Our lines go to stdout: no handler of the application's prints any."""
        return "OTEL_PYTHON_LOG_CORRELATION" not in self.env

    @property
    def durations(self) -> frozenset[str]:
        """The server's histograms that are to be there, each request in it once."""
        measured = "sdk_metrics" in self.steps or (
            self.env.get("OTEL_METRICS_EXPORTER") == "otlp"
        )
        if not measured:
            return frozenset()
        contribs = (
            {"http.server.duration"} if "contrib" in self.steps or self.auto else set()
        )
        ours = (
            set() if "ours_for_sub" in self.steps else {"http.server.request.duration"}
        )
        return frozenset(contribs | ours)


SDK = "sdk_traces sdk_logs"
CONTRIB = "contrib_server contrib_client contrib_logging_ids"
AUTO = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
}
CALLS = (*PATHS, "/call/7")

ROWS = [
    Row("none of them", "app_made ours"),
    Row('none of them, pipeline="sdk"', "app_made ours_sdk"),
    Row("own SDK, global, before", f"{SDK} sdk_metrics app_made ours"),
    Row("own SDK, global, after", f"app_made ours {SDK}"),
    Row("own SDK, given", "app_made ours_given"),
    Row("own tracer only, global", "sdk_traces app_made ours"),
    Row("own tracer only, given", "app_made ours_given_tracer"),
    Row("own logger only, global", "sdk_logs app_made ours"),
    Row("own logger only, given", "app_made ours_given_logger"),
    Row("own SDK and its LoggingHandler", f"{SDK} sdk_handler app_made ours"),
    Row("its LoggingHandler, after us", f"app_made ours {SDK} sdk_handler"),
    Row("its LoggingHandler on one logger", f"{SDK} sdk_handler_on_shop app_made ours"),
    Row("contrib server, before", "contrib_server app_made ours"),
    Row("contrib server, before us only", f"{SDK} app_made contrib_server ours"),
    Row("contrib server, after", f"{SDK} app_made ours contrib_server"),
    Row(
        "contrib server around ours",
        f"{SDK} sdk_metrics contrib_server app_made ours_for_sub",
        paths=("/sub/ok/4", "/sub/fail/5"),
    ),
    Row("contrib logging, before", f"{SDK} contrib_logging app_made ours"),
    Row("contrib logging, after", f"{SDK} app_made ours contrib_logging"),
    Row("contrib logging with ids, before", f"{SDK} contrib_logging_ids app_made ours"),
    Row("contrib logging with ids, after", f"{SDK} app_made ours contrib_logging_ids"),
    Row("contrib logging, no SDK", "contrib_logging_ids app_made ours"),
    Row(
        "contrib, all, before",
        f"{SDK} sdk_metrics {CONTRIB} app_made ours",
        paths=CALLS,
        calls=True,
    ),
    Row(
        "contrib, all, after",
        f"{SDK} sdk_metrics app_made ours {CONTRIB}",
        paths=CALLS,
        calls=True,
    ),
    Row(
        'contrib, all, pipeline="sdk"',
        f"{CONTRIB} app_made ours_sdk",
        paths=CALLS,
        calls=True,
    ),
    Row("opentelemetry-instrument", "app_made ours", AUTO, True, CALLS, True),
    Row(
        "the same, exporters by its names",
        "app_made ours",
        {
            **AUTO,
            "OTEL_TRACES_EXPORTER": "console,otlp_proto_http",
            "OTEL_LOGS_EXPORTER": "otlp_proto_http",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_TRACES_SAMPLER": "xray",  # unknown here and there: a warning
        },
        True,
        CALLS,
        True,
    ),
    Row(
        "the same, handler of the SDK",
        "app_made ours",
        {**AUTO, "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true"},
        True,
        CALLS,
        True,
    ),
    Row(
        "the same, ids in its format",
        "app_made ours",
        {**AUTO, "OTEL_PYTHON_LOG_CORRELATION": "true"},
        True,
        CALLS,
        True,
    ),
]
