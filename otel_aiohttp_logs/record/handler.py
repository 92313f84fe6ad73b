"""The one handler on the root logger that passes each record on, flat."""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context
from opentelemetry.trace import get_current_span

from otel_aiohttp_logs.record.access import is_replaced
from otel_aiohttp_logs.record.flatten import flat_log
from otel_aiohttp_logs.record.stamp import context_of
from otel_aiohttp_logs.record.twins import native
from otel_aiohttp_logs.scope.request import REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_aiohttp_logs.flat import FlatLog, Plain

    Outlet = Callable[[logging.LogRecord, FlatLog], None]


_log = logging.getLogger("otel_aiohttp_logs")
# One for all: ``json.dumps`` makes one each time.
_as_json = json.JSONEncoder(ensure_ascii=False, default=str).encode
_OUR_EXPORTER = "otel_aiohttp_logs.export"
_SUPPRESSED = otel_context._SUPPRESS_INSTRUMENTATION_KEY  # noqa: SLF001 (no public one)


class OutletHandler(logging.Handler):
    """
    Makes each record flat once and gives it to each outlet.

    Without *access_lines* those of aiohttp's are left out that an event replaces. What
    an exporter logs, ours or upstream's, is left out: a failure to export would
    make a record to export.
    """

    def __init__(self, *, access_lines: bool = True) -> None:
        super().__init__()
        self.outlets: tuple[Outlet, ...] = ()
        self.failures = 0
        self._access_lines = access_lines
        if native:
            vars(self)["handle"] = partial(native.pass_on, self)

    # Without the lock of Handler.handle: the outlets are safe in each thread.
    def handle(self, record: logging.LogRecord) -> bool:
        if not self.outlets or self.leaves_out(record) or not self.filter(record):
            return False
        self.emit(record)
        return True

    def leaves_out(self, record: logging.LogRecord) -> bool:
        try:
            replaced = not self._access_lines and is_replaced(record)
            return replaced or _of_an_exporter(record)
        except Exception:  # noqa: BLE001 (a name that is no text, made elsewhere)
            return False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log = flat_log(record)
        except Exception:  # noqa: BLE001 (counted and logged)
            self.handleError(record)
            return
        for outlet in self.outlets:
            try:
                outlet(record, log)
            except Exception:  # noqa: BLE001, PERF203 (counted; the next goes on)
                self.handleError(record)

    def handleError(self, _: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Count the error that is being handled, and log the first."""
        # Not logging's own way: that writes a traceback to stderr for each record.
        self.failures += 1
        if self.failures == 1:
            _log.warning("record_telemetry_failed", exc_info=True)


def is_upstreams(handler: logging.Handler) -> bool:
    """Tell whether *handler* passes records to OpenTelemetry, and shows none."""
    return any(
        base.__name__ == "LoggingHandler"
        and base.__module__.startswith("opentelemetry.")
        for base in type(handler).__mro__
    )


def _of_an_exporter(record: logging.LogRecord) -> bool:
    """
    Tell whether *record* comes from sending others.

    Ours and upstream's suppress instrumentation while they send. So may a request of
    the application, whose lines are its own.
    """
    context = context_of(record)
    suppressed = _SUPPRESSED in context and REQUEST not in context
    return suppressed or record.name == _OUR_EXPORTER


def span_event(record: logging.LogRecord, log: FlatLog) -> None:
    """
    Copy a line to the span that is current, as the event ``log``.

    For Jaeger, which shows the events of a span but stores no log records.
    """
    span = get_current_span(context_of(record))
    if span.is_recording():
        fields = {k: _scalar(v) for k, v in log.attributes.items() if k != "request_id"}
        head = {"level": log.severity_text, "logger": log.logger, "message": log.body}
        span.add_event("log", {**head, **fields}, log.time_ns)


def _scalar(value: Plain) -> str | bool | int | float:
    """Return *value* as an attribute that each SDK takes on a span's event."""
    if isinstance(value, (str, bool, int, float)):
        return value
    return _as_json(value)
