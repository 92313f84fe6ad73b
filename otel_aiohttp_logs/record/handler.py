"""The one handler on the root logger that passes each record on, flat."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from opentelemetry.trace import get_current_span

from otel_aiohttp_logs.record.flatten import flat_log
from otel_aiohttp_logs.record.stamp import context_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_aiohttp_logs.flat import FlatLog, Plain

    Outlet = Callable[[logging.LogRecord, FlatLog], None]


_MUTED_LOGGER = "otel_aiohttp_logs.export"


class OutletHandler(logging.Handler):
    """
    Makes each record flat once and gives it to each outlet.

    What the exporter logs is left out, and all else that its thread logs: a failure
    to export would make a record to export.
    """

    def __init__(self, muted_thread: Callable[[], int | None]) -> None:
        super().__init__()
        self.outlets: tuple[Outlet, ...] = ()
        self._muted_thread = muted_thread

    # Without the lock of Handler.handle: the outlets are safe in each thread.
    def handle(self, record: logging.LogRecord) -> bool:
        if record.thread == self._muted_thread() or record.name == _MUTED_LOGGER:
            return False
        if not self.outlets or not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log = flat_log(record)
            for outlet in self.outlets:
                outlet(record, log)
        except Exception:  # noqa: BLE001 (logging's own way to report it)
            self.handleError(record)


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
    return json.dumps(value, ensure_ascii=False, default=str)
