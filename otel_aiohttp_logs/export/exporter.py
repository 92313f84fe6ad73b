"""Flat records in, OTLP over HTTP out, off the application's loop."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from otel_aiohttp_logs.export.backlog import Backlog
from otel_aiohttp_logs.export.destination import Destination
from otel_aiohttp_logs.export.encoder import encode_resource, group_logs, group_spans
from otel_aiohttp_logs.export.health import Health
from otel_aiohttp_logs.export.sender import Signal
from otel_aiohttp_logs.export.stats import Stats
from otel_aiohttp_logs.export.weight import weigh_log, weigh_span
from otel_aiohttp_logs.export.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from otel_aiohttp_logs.export.settings import ExportSettings
    from otel_aiohttp_logs.flat import Attributes, FlatLog, FlatSpan

log = logging.getLogger("otel_aiohttp_logs.export")


class Exporter:
    """
    Takes records from any thread, at any time, and sends them in batches.

    Nothing that it does raises into the application or waits for the network, but
    ``flush`` and ``close``, which wait as long as they're told to and no longer.
    Raises ``ValueError`` for a certificate that cannot be read. A *resource* that is
    a function is asked once more in each forked child.
    """

    def __init__(
        self,
        *,
        resource: Attributes | Callable[[], Attributes],
        traces: ExportSettings,
        logs: ExportSettings,
    ) -> None:
        self._resource = resource if callable(resource) else lambda: resource
        healths: dict[str, Health] = {}
        self._spans = _signal("spans", traces, weigh_span, group_spans, healths)
        self._logs = _signal("logs", logs, weigh_log, group_logs, healths)
        self._signals: list[Signal[Any]] = [
            signal for signal in (self._spans, self._logs) if signal.settings.enabled
        ]
        self.emit_span: Callable[[FlatSpan], None] = _emit(self._spans)
        self.emit_log: Callable[[FlatLog], None] = _emit(self._logs)
        self.pass_log: Callable[[logging.LogRecord, FlatLog], None] = (
            self._logs.backlog.put_log if logs.enabled else lambda _, __: None
        )
        """The same as ``emit_log``, as an outlet of log records is called."""
        self.thread_id: int | None = None
        """Of the thread that sends, None while there is none."""
        self._worker: Worker | None = None
        self._inherited: list[Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Start sending. What was emitted before goes first."""
        if self._closed or self._worker or not self._signals:
            return
        self._start_worker()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            begin_anew = weakref.WeakMethod(self._begin_anew)
            os.register_at_fork(
                after_in_child=lambda: (method := begin_anew()) and method()
            )

    def flush(self, timeout: float) -> bool:
        """
        Wait, *timeout* seconds at most, until what was emitted before has left.

        Returns False if it hasn't, and at once if nobody listens where nobody was
        said to. For any thread; it blocks the calling one.
        """
        if self._worker is None or self._closed:
            return not any(len(signal.backlog) for signal in self._signals)
        return self._worker.flush(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """
        Send what can be sent within *timeout* seconds, and count the rest as dropped.

        It returns as soon as everything is sent or nobody is there to take it.
        Whatever is emitted from now on is dropped and counted.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        for signal in self._signals:
            signal.backlog.close()
        if self._worker is not None:
            self._worker.close(timeout)
        self.thread_id = None
        for signal in self._signals:
            _abandon(signal)

    def stats(self) -> Stats:
        return Stats(logs=self._logs.backlog.stats(), spans=self._spans.backlog.stats())

    def _start_worker(self) -> None:
        try:
            self._worker = Worker(self._signals, encode_resource(self._resource()))
        except Exception as error:  # noqa: BLE001 - a forked child is in emit_log here
            # No descriptors or threads are left, or the interpreter exits.
            log.warning(
                "Nothing can be exported, the thread does not start (%s): records "
                "are kept, as many as fit.",
                error,
            )
            return
        self.thread_id = self._worker.thread_id

    def _begin_anew(self) -> None:
        """
        In a forked child: the parent sends what waits, and its thread isn't here.

        The first record that the child emits starts a thread of its own.
        """
        if self._worker is None or self._closed:
            return
        # Kept for good. To collect the parent's loop would close it, and with it
        # the registrations of a selector that the parent still uses.
        self._inherited.append(self._worker)
        self._worker = None
        self.thread_id = None
        self._lock = threading.Lock()
        for signal in self._signals:
            signal.backlog.forget()
            signal.backlog.wake = self._restart
            signal.backlog.rearm(1)

    def _restart(self) -> None:
        with self._lock:
            if self._worker is None and not self._closed:
                self._start_worker()


def _signal(
    name: str,
    settings: ExportSettings,
    weigh: Callable[[Any], int],
    group: Callable[[Any, Any], None],
    healths: dict[str, Health],
) -> Signal[Any]:
    parts = urlsplit(settings.endpoint)
    collector = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return Signal(
        name=name,
        settings=settings,
        destination=Destination(settings),
        backlog=Backlog(settings.queue_size, settings.batch_size, weigh),
        group=group,
        health=healths.setdefault(
            f"{collector} {settings.is_default}",
            Health(collector, quiet=settings.is_default),
        ),
    )


def _emit(signal: Signal[Any]) -> Callable[[Any], None]:
    return signal.backlog.put if signal.settings.enabled else lambda _: None


def _abandon(signal: Signal[Any]) -> None:
    lost = signal.backlog.abandon("shutdown")
    if not lost or (signal.settings.is_default and not signal.health.ever_worked):
        return
    log.warning(
        "%d %s could not be sent to %s in time and are lost.",
        lost,
        signal.name,
        signal.health.name,
        extra={"dropped": lost, "reason": "shutdown"},
    )
