"""``instrument_app`` and its undoing: the stages of the pipeline, put together."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from aiohttp import web
from aiohttp.web_app import Application

from otel_aiohttp_logs._contrib import is_met, old_duration, span_begun
from otel_aiohttp_logs._process import Process
from otel_aiohttp_logs._settings import Options, Settings, read_settings
from otel_aiohttp_logs.pipeline.sdk import check_installed
from otel_aiohttp_logs.pipeline.theirs import signals_of_theirs
from otel_aiohttp_logs.request.instruments import Instruments, span_starter
from otel_aiohttp_logs.request.metrics import server_metrics
from otel_aiohttp_logs.request.middleware import Serving
from otel_aiohttp_logs.request.rejected import REJECT
from otel_aiohttp_logs.request.request_id import RequestIds
from otel_aiohttp_logs.request.tally import Tally
from otel_aiohttp_logs.span.propagation import extractor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from otel_aiohttp_logs.export.stats import Stats

_process = Process()
_tally = Tally()


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
            settings.request_id_header, settings.request_id_pattern, _tally
        )
        self._running = False
        self.serving = Serving(self.instruments, _tally)

    def instruments(self) -> Instruments | None:
        """Return what requests are served with, None while we aren't running."""
        if self._instruments is None and self._running:
            provider = _process.settle(self._tracer_provider)
            tracer = provider.get_tracer("otel_aiohttp_logs")
            self._instruments = Instruments(
                tracer=tracer,
                start_span=span_starter(tracer),
                extract=extractor(),
                websocket_spans=self._settings.websocket_spans,
                request_ids=self._request_ids,
                events=_process.events(self._settings.quiet_routes),
                tally=_tally,
                metrics=server_metrics(self._meter_provider, old_duration()),
                span_begun=span_begun if is_met() else None,
            )
        return self._instruments

    async def while_running(self, app: web.Application) -> AsyncIterator[None]:
        """Start with the application, before anything of its own does."""
        _make_outermost(app, self)
        _process.acquire(self._settings, self._logger_provider)
        self._running = True
        _tally.started()
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
        return _process.release()


_KEY = web.AppKey("otel_aiohttp_logs", Instrumented)


def instrument_app(  # noqa: PLR0913 (options, all by keyword)
    app: web.Application,
    *,
    pipeline: Literal["own", "sdk"] | None = None,
    output: Literal["auto", "json", "console", "none"] | None = None,
    level: int | str | None = None,
    span_events: bool | None = None,
    request_id_header: str | None = None,
    websocket_spans: bool | None = None,
    hooks: str | None = None,
    request_id_pattern: str | None = None,
    access_log: Literal["event", "classic", "none"] | None = None,
    quiet_routes: Sequence[str] | None = None,
    tracer_provider: TracerProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> None:
    """
    Give each request of *app* a span and an id, and each log line the ids of both.

    Call it once, any time before the application starts; it also covers
    sub-applications. An option that is left out is taken from its variable,
    ``OTEL_AIOHTTP_LOGS_<OPTION>``, or has the default named here.

    - *pipeline*: ``own`` (default), or ``sdk`` for upstream's providers, processors
      and exporters.
    - *output*: what goes to stdout if the application configured no handler:
      ``auto`` (default: ``console`` on a terminal, else ``json``) or ``none``.
    - *level*: of the root logger, if the application configured no handler and no
      level; INFO.
    - *span_events*: copy each line to its span as an event, for Jaeger; False.
    - *request_id_header*: an inbound header whose request id is trusted; none.
    - *websocket_spans*: a span for each message of a WebSocket; False.
    - *hooks*: which process-wide hooks are on: ``all`` (default), ``none``, or some
      of their names, with commas; see ``docs/hooks.md``.
    - *request_id_pattern*: what such an id must match, whole; another one is replaced.
      8 to 128 letters, digits and ``._:+/=@-``.
    - *access_log*: ``event`` (default) writes one event with fields for each request,
      in place of aiohttp's access line; ``classic`` leaves that line, ``none`` neither.
    - *quiet_routes*: routes or paths, such as ``/health`` or ``/static/*``, the events
      of which are of level DEBUG unless something went wrong; none.
    - *tracer_provider*, *logger_provider*: used instead of the global ones and ours.
    - *meter_provider*: measures the requests, instead of the global one.

    Raises ``TypeError`` if *app* is no application, ``RuntimeError`` if it has been
    started or instrumented already, and ``ValueError`` for a bad option or variable.
    """
    _check(app)
    settings = read_settings(
        Options(
            pipeline=pipeline,
            output=output,
            level=level,
            span_events=span_events,
            request_id_header=request_id_header,
            hooks=hooks,
            websocket_spans=websocket_spans,
            request_id_pattern=request_id_pattern,
            access_log=access_log,
            quiet_routes=quiet_routes,
        ),
        theirs=signals_of_theirs(tracer_provider, logger_provider),
    )
    if settings.pipeline == "sdk":
        check_installed()
    instrumented = Instrumented(
        settings, tracer_provider, logger_provider, meter_provider
    )
    app[_KEY] = instrumented
    app[REJECT] = instrumented.serving.reject
    app.middlewares.insert(0, instrumented.serving.middleware)
    app.on_response_prepare.append(instrumented.serving.on_response_prepare)
    app.cleanup_ctx.insert(0, instrumented.while_running)


def uninstrument_app(app: web.Application) -> None:
    """
    Serve *app* as without us from now on.

    What is queued is still sent, in the background. Raises ``RuntimeError`` if *app*
    is not instrumented.
    """
    instrumented = app.get(_KEY)
    if instrumented is None:
        msg = f"{app!r} is not instrumented: there is nothing to undo."
        raise RuntimeError(msg)
    threading.Thread(target=instrumented.stop(), name="otel-aiohttp-logs-close").start()
    if not app.frozen:
        del app[_KEY], app[REJECT]
        app.middlewares.remove(instrumented.serving.middleware)
        app.on_response_prepare.remove(instrumented.serving.on_response_prepare)
        app.cleanup_ctx.remove(instrumented.while_running)


def flush(timeout: float = 5.0) -> bool:
    """Send what is queued, in *timeout* seconds at most; True if it went. Blocks."""
    return _process.flush(timeout)


def stats() -> Stats:
    """Return what was emitted, exported, queued and dropped since the start."""
    counted = _process.stats()
    return replace(
        counted,
        request_ids_replaced=_tally.request_ids_replaced,
        telemetry_failures=_tally.failures + counted.telemetry_failures,
    )


def _check(app: object) -> None:
    # Not web.Application: contrib's instrumentation puts a subclass in its place.
    if not isinstance(app, Application):
        msg = (
            f"instrument_app() takes an aiohttp.web.Application, not {app!r}: write "
            "app = web.Application(), then instrument_app(app)."
        )
        raise TypeError(msg)
    if app.frozen or app.pre_frozen or app.on_startup.frozen:
        msg = (
            f"{app!r} is frozen: call instrument_app(app) before add_subapp(), "
            "web.run_app(app) or AppRunner(app).setup()."
        )
        raise RuntimeError(msg)
    if _KEY in app:
        msg = (
            f"{app!r} is instrumented already: call instrument_app(app) once, or "
            "uninstrument_app(app) first."
        )
        raise RuntimeError(msg)


def _make_outermost(app: web.Application, instrumented: Instrumented) -> None:
    """Go before middlewares that were inserted since; a sub-application can't."""
    if not app.frozen and not app.pre_frozen:
        app.middlewares.remove(instrumented.serving.middleware)
        app.middlewares.insert(0, instrumented.serving.middleware)
