"""
Everything of ours that is process-wide, with one owner that counts its users.

The first application that starts puts it up, the last one that ends takes it down:
the record factory, the handlers on the root logger, the pipeline and its thread.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry import _logs, trace
from opentelemetry._logs._internal import ProxyLoggerProvider

from otel_aiohttp_logs._contrib import StepAside
from otel_aiohttp_logs.export.stats import Stats
from otel_aiohttp_logs.hooks.owner import Hooks
from otel_aiohttp_logs.output.aliases import Aliases
from otel_aiohttp_logs.output.root import RootHandlers
from otel_aiohttp_logs.pipeline.own import OwnPipeline
from otel_aiohttp_logs.pipeline.provider import provider_outlet
from otel_aiohttp_logs.pipeline.sdk import SdkPipeline
from otel_aiohttp_logs.pipeline.upstream import UpstreamHandlers
from otel_aiohttp_logs.record.access import ACCESS_LOGGER, AccessLines
from otel_aiohttp_logs.record.handler import OutletHandler, span_event
from otel_aiohttp_logs.record.stamping import Stamping
from otel_aiohttp_logs.record.twins import make_record
from otel_aiohttp_logs.request.event import Events
from otel_aiohttp_logs.span.tracer import OwnTracerProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.trace import TracerProvider

    from otel_aiohttp_logs._settings import Settings
    from otel_aiohttp_logs.record.handler import Outlet

CLOSE_TIMEOUT = 5.0
"""Seconds that the end of the last application waits for its last batch at most."""


class _Running:
    """What is up while at least one application runs."""

    def __init__(
        self, settings: Settings, logger_provider: LoggerProvider | None
    ) -> None:
        self.settings = settings
        self.pipeline = _pipeline(settings)
        self._logger_provider = logger_provider
        self._stamping = Stamping(make_record)
        self.hooks = Hooks(settings.hooks)
        self._contrib = StepAside()
        self._access = AccessLines()
        self._aliases = Aliases(settings.resource["service.name"])
        replaced = settings.access_log != "classic"
        self._handler = OutletHandler(access_lines=not replaced)
        self._upstream = UpstreamHandlers(access_lines=not replaced)
        self._handlers = RootHandlers(
            self._handler, settings.output, settings.level, access_lines=not replaced
        )
        self.pipeline.start()
        self.hooks.start()
        self.listen()

    def listen(self) -> None:
        """Stamp and hear each record, as the process is configured by now."""
        self._stamping.ensure()
        self._upstream.take_over()
        self._contrib.ensure()
        self._aliases.ensure()
        copies = (span_event,) if self.settings.span_events else ()
        self._handler.outlets = (*copies, *self._outlets())
        self._handlers.attach()
        unheard = not self._handlers.heard_elsewhere(ACCESS_LOGGER)
        if self.settings.access_log != "classic" and unheard:
            self._access.mute()
        else:
            self._access.unmute()

    def events(self, quiet_routes: Sequence[str]) -> Events | None:
        """Return what writes the events of requests, None if nobody wants them."""
        if self.settings.access_log == "none":
            return None
        return Events(
            wants=self._access.wants,
            write=self._handlers.handle,
            write_plain=self._handlers.handle_event,
            quiet_routes=quiet_routes,
            only_if_unsaid=self.settings.access_log == "classic",
        )

    def stats(self) -> Stats:
        return replace(
            self.pipeline.stats(),
            lines_lost=self._handlers.lost,
            telemetry_failures=self._handler.failures,
        )

    def stop(self) -> None:
        self.hooks.undo()
        self._access.unmute()
        self._stamping.undo()
        self._contrib.undo()
        self.pipeline.stop()

    def finish(self) -> None:
        """Send the rest, then leave the root logger: what is lost is said there."""
        self.pipeline.close(CLOSE_TIMEOUT)
        self._upstream.give_back()
        self._aliases.undo()
        self._handlers.detach()

    def _outlets(self) -> tuple[Outlet, ...]:
        given = self._logger_provider
        provider = given or _logs.get_logger_provider()
        if not isinstance(provider, ProxyLoggerProvider):
            return (self._upstream.beside(provider_outlet(provider), given),)
        wanted = self.settings.logs.enabled and not self.settings.disabled
        return (self._upstream.beside(self.pipeline.emit, None),) if wanted else ()


class Process:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._running: _Running | None = None
        self._last: _Running | None = None

    def acquire(
        self, settings: Settings, logger_provider: LoggerProvider | None
    ) -> None:
        """
        Count one user more; the first one's settings hold for the process.

        Raises ``ValueError`` if another application runs with other settings.
        """
        with self._lock:
            if self._running is None:
                self._running = _Running(settings, logger_provider)
                self._last = self._running
            else:
                _check_same(self._running.settings, settings)
            self._running.hooks.join(asyncio.get_running_loop())
            self._users += 1

    def release(self) -> Callable[[], None]:
        """
        Count one user less, and return what is left to do.

        That blocks, for ``CLOSE_TIMEOUT`` seconds at most.
        """
        with self._lock:
            self._users -= 1
            running = self._running
            if self._users or running is None:
                return _nothing
            self._running = None
            running.stop()
            return running.finish

    def settle(self, given: TracerProvider | None) -> TracerProvider:
        """
        Return the provider of the requests' spans, decided by now at the latest.

        Called before the first request, when the application has had its chance to
        set providers, a record factory and handlers of its own.
        """
        with self._lock:
            if self._running is None:
                return given or trace.get_tracer_provider()
            pipeline = self._running.pipeline
            _set_global_logger_provider(pipeline)
            self._running.listen()
            return given or _global_tracer_provider(pipeline)

    def events(self, quiet_routes: Sequence[str]) -> Events | None:
        return None if self._running is None else self._running.events(quiet_routes)

    def flush(self, timeout: float) -> bool:
        return self._last is None or self._last.pipeline.flush(timeout)

    def stats(self) -> Stats:
        """Return the counts of the pipeline that runs, or of the last one that did."""
        return Stats() if self._last is None else self._last.stats()


def _pipeline(settings: Settings) -> OwnPipeline | SdkPipeline:
    kind = OwnPipeline if settings.pipeline == "own" else SdkPipeline
    return kind(settings)


def _set_global_logger_provider(pipeline: OwnPipeline | SdkPipeline) -> None:
    unset = isinstance(_logs.get_logger_provider(), ProxyLoggerProvider)
    if unset and isinstance(pipeline, SdkPipeline):
        _logs.set_logger_provider(pipeline.logger_provider)


def _global_tracer_provider(pipeline: OwnPipeline | SdkPipeline) -> TracerProvider:
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        trace.set_tracer_provider(pipeline.tracer_provider)
        return pipeline.tracer_provider
    if isinstance(provider, OwnTracerProvider):
        return pipeline.tracer_provider
    return provider


def _check_same(running: Settings, wanted: Settings) -> None:
    # What each application may have for itself.
    wanted = wanted._replace(
        request_id_header=running.request_id_header,
        websocket_spans=running.websocket_spans,
        request_id_pattern=running.request_id_pattern,
        quiet_routes=running.quiet_routes,
    )
    different = _difference(running, wanted)
    if different:
        msg = (
            f"{different} differs from what another instrumented application of this "
            "process runs with: give both the same options and variables."
        )
        raise ValueError(msg)


def _difference(one: object, other: object, name: str = "") -> str:
    """Return the dotted name of the first field that differs; values may be secret."""
    if one == other:
        return ""
    for field in getattr(one, "_fields", ()):
        path = f"{name}.{field}" if name else field
        inner = _difference(getattr(one, field), getattr(other, field), path)
        if inner:
            return inner
    return name


def _nothing() -> None:
    """What is left to do while others still run."""
