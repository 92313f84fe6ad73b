"""What one application has of ours: its hooks, and its use of what is process-wide."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from otel_aiohttp_logs._contrib import is_met, old_duration, span_begun
from otel_aiohttp_logs._process import Process
from otel_aiohttp_logs.request.instruments import Instruments, span_starter
from otel_aiohttp_logs.request.metrics import server_metrics
from otel_aiohttp_logs.request.middleware import Serving
from otel_aiohttp_logs.request.request_id import RequestIds
from otel_aiohttp_logs.request.tally import Tally
from otel_aiohttp_logs.span.propagation import extractor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from otel_aiohttp_logs._settings import Settings

PROCESS = Process()
TALLY = Tally()
"""Of all applications."""


class Instrumented:
    """One application's share: its hooks, and its use of what is process-wide."""

    def __init__(
        self,
        settings: Settings,
        tracer_provider: TracerProvider | None,
        logger_provider: LoggerProvider | None,
        meter_provider: MeterProvider | None,
    ) -> None:
        self._settings = settings
        self._meter_provider = meter_provider
        self._tracer_provider = tracer_provider
        self._logger_provider = logger_provider
        self._instruments: Instruments | None = None
        self._request_ids = RequestIds(
            settings.request_id_header, settings.request_id_pattern, TALLY
        )
        self._running = False
        self.serving = Serving(self.instruments, TALLY)

    def instruments(self) -> Instruments | None:
        """Return what requests are served with, None while we aren't running."""
        if self._instruments is None and self._running:
            provider = PROCESS.settle(self._tracer_provider)
            tracer = provider.get_tracer("otel_aiohttp_logs")
            self._instruments = Instruments(
                tracer=tracer,
                start_span=span_starter(tracer),
                extract=extractor(),
                websocket_spans=self._settings.websocket_spans,
                request_ids=self._request_ids,
                events=PROCESS.events(self._settings.quiet_routes),
                tally=TALLY,
                metrics=server_metrics(self._meter_provider, old_duration()),
                span_begun=span_begun if is_met() else None,
            )
        return self._instruments

    async def while_running(self, app: web.Application) -> AsyncIterator[None]:
        """Start with the application, before anything of its own does."""
        _make_outermost(app, self)
        PROCESS.acquire(self._settings, self._logger_provider)
        self._running = True
        TALLY.started()
        # Handlers of on_cleanup come after this context's exit, and may log. (A
        # sub-application lets nobody add one.)
        late = not app.on_cleanup.frozen
        if late:
            app.on_cleanup.append(self._after_cleanup)
        yield
        if not late or not app.on_cleanup.frozen:  # a failed start sends no on_cleanup
            await self._after_cleanup(app)

    async def _after_cleanup(self, _: web.Application) -> None:
        done = asyncio.get_running_loop().create_future()
        close = self.stop()

        def close_and_tell() -> None:
            close()
            done.get_loop().call_soon_threadsafe(done.set_result, None)

        # A thread of its own: the loop's executor may be busy or gone.
        threading.Thread(target=close_and_tell, daemon=True).start()
        await done

    def stop(self) -> Callable[[], None]:
        """Serve requests as without us from now on; the rest to do blocks."""
        if not self._running:
            return lambda: None
        self._running, self._instruments = False, None
        self.serving.stop()
        return PROCESS.release()


def _make_outermost(app: web.Application, instrumented: Instrumented) -> None:
    """Go before middlewares that were inserted since; a sub-application can't."""
    if not app.frozen and not app.pre_frozen:
        app.middlewares.remove(instrumented.serving.middleware)
        app.middlewares.insert(0, instrumented.serving.middleware)
