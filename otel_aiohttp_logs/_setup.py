"""``instrument_app`` and its undoing: the stages of the pipeline, put together."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from aiohttp import web
from aiohttp.web_app import Application

from otel_aiohttp_logs._instrumented import PROCESS, TALLY, Instrumented
from otel_aiohttp_logs._settings import Options, read_settings
from otel_aiohttp_logs.pipeline.sdk import check_installed
from otel_aiohttp_logs.pipeline.theirs import signals_of_theirs
from otel_aiohttp_logs.request.rejected import REJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from otel_aiohttp_logs.export.stats import Stats

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
    return PROCESS.flush(timeout)


def stats() -> Stats:
    """Return what was emitted, exported, queued and dropped since the start."""
    counted = PROCESS.stats()
    return replace(
        counted,
        request_ids_replaced=TALLY.request_ids_replaced,
        telemetry_failures=TALLY.failures + counted.telemetry_failures,
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
