"""
Options and ``OTEL_*`` variables become one frozen ``Settings``, once, at start.

The variables mean what the OpenTelemetry specification says
(https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
and https://opentelemetry.io/docs/specs/otel/protocol/exporter/). An option that is
given in the call goes before its variable.
"""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from otel_aiohttp_logs._environment import Environment, bad
from otel_aiohttp_logs._resource import resource_attributes
from otel_aiohttp_logs.export.settings import ExportSettings, export_settings
from otel_aiohttp_logs.span.settings import check_propagators, limits, record_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from otel_aiohttp_logs.span.limits import Limits, RecordLimits

T = TypeVar("T")

PIPELINES = ("own", "sdk")
HOOKS = ("threads", "executors", "loop", "connections")
OUTPUTS = ("auto", "json", "console", "none")
ACCESS_LOGS = ("event", "classic", "none")
REQUEST_ID_PATTERN = r"[0-9A-Za-z._:+/=@-]{8,128}"
"""Every id in use, and nothing that could end a header, a line or a URL."""
SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)


class Options(NamedTuple):
    """What the call of ``instrument_app`` says; None leaves it to the variable."""

    pipeline: str | None = None
    output: str | None = None
    level: int | str | None = None
    span_events: bool | None = None
    request_id_header: str | None = None
    websocket_spans: bool | None = None
    hooks: str | None = None
    request_id_pattern: str | None = None
    access_log: str | None = None
    quiet_routes: Sequence[str] | None = None


class Settings(NamedTuple):
    disabled: bool
    """``OTEL_SDK_DISABLED``: ids and lines stay, nothing is exported."""
    pipeline: str
    output: str
    level: int
    span_events: bool
    """Copy each log line of a request to its span as an event."""
    request_id_header: str | None
    """The inbound header to trust, None to make each request id ourselves."""
    websocket_spans: bool
    """A span for each message of a WebSocket."""
    hooks: frozenset[str]
    """Which process-wide hooks are on; see ``docs/hooks.md``."""
    request_id_pattern: re.Pattern[str]
    """What a trusted id must match, whole."""
    access_log: str
    """``event``: one of ours a request, ``classic``: aiohttp's line, or ``none``."""
    quiet_routes: tuple[str, ...]
    """Routes or paths, ``*`` in them for any text, whose events are of level DEBUG."""
    sampler: str
    sampler_ratio: float
    limits: Limits
    record_limits: RecordLimits
    resource: Mapping[str, str]
    traces: ExportSettings
    logs: ExportSettings


def read_settings(
    options: Options,
    environ: Mapping[str, str] = os.environ,
    *,
    theirs: Container[str] = (),
) -> Settings:
    """
    Return the settings that *options* and *environ* make together.

    Raises ``ValueError`` that names the option or variable and what to write; but not
    for how the signals *theirs*, ``TRACES`` and ``LOGS``, are sampled and exported:
    the application's own providers do that, and understand more.
    """
    env = Environment(environ)
    check_propagators(env)
    prefix = "OTEL_AIOHTTP_LOGS_"
    pipeline = env.choice(f"{prefix}PIPELINE", PIPELINES, "own", given=options.pipeline)

    def exporting(signal: str) -> Callable[[Environment], ExportSettings]:
        return lambda env: export_settings(env, signal, own=pipeline == "own")

    return Settings(
        disabled=env.boolean("OTEL_SDK_DISABLED", default=False),
        pipeline=pipeline,
        output=env.choice(f"{prefix}OUTPUT", OUTPUTS, "auto", given=options.output),
        level=_level(env, f"{prefix}LEVEL", options.level),
        span_events=env.boolean(
            f"{prefix}SPAN_EVENTS", default=False, given=options.span_events
        ),
        request_id_header=_header_name(env, options.request_id_header),
        websocket_spans=env.boolean(
            f"{prefix}WEBSOCKET_SPANS", default=False, given=options.websocket_spans
        ),
        hooks=env.some_of(f"{prefix}HOOKS", HOOKS, given=options.hooks),
        request_id_pattern=_pattern(env, options.request_id_pattern),
        access_log=env.choice(
            f"{prefix}ACCESS_LOG", ACCESS_LOGS, "event", given=options.access_log
        ),
        quiet_routes=_routes(env, options.quiet_routes),
        sampler=_unless("TRACES" in theirs, _sampler, env),
        sampler_ratio=_unless("TRACES" in theirs, _sampler_ratio, env),
        limits=limits(env),
        record_limits=record_limits(env),
        resource=resource_attributes(env),
        traces=_unless("TRACES" in theirs, exporting("TRACES"), env),
        logs=_unless("LOGS" in theirs, exporting("LOGS"), env),
    )


def _unless(theirs: bool, read: Callable[[Environment], T], env: Environment) -> T:  # noqa: FBT001
    """Return what *read* reads; if *theirs*, without its variables if they're bad."""
    try:
        return read(env)
    except ValueError:
        if not theirs:
            raise
        return read(Environment({}))


def _sampler(env: Environment) -> str:
    return env.choice("OTEL_TRACES_SAMPLER", SAMPLERS, "parentbased_always_on")


def _sampler_ratio(env: Environment) -> float:
    return env.ratio("OTEL_TRACES_SAMPLER_ARG", 1.0)


def _level(env: Environment, name: str, given: int | str | None) -> int:
    value = given if given is not None else env.text(name, "INFO")
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    level = logging.getLevelName(str(value).upper())
    if not isinstance(level, int):
        raise bad(name, value, "a level of logging, such as INFO, DEBUG or 20")
    return level


def _header_name(env: Environment, given: str | None) -> str | None:
    name = "OTEL_AIOHTTP_LOGS_REQUEST_ID_HEADER"
    value = given if given is not None else env.text(name, "")
    if not value:
        return None
    # A token of RFC 9110, section 5.6.2.
    if not all(c.isascii() and (c.isalnum() or c in "!#$%&'*+-.^_`|~") for c in value):
        raise bad(name, value, "the name of a header, such as X-Request-ID")
    return value


def _pattern(env: Environment, given: str | None) -> re.Pattern[str]:
    name = "OTEL_AIOHTTP_LOGS_REQUEST_ID_PATTERN"
    value = given if given is not None else env.text(name, REQUEST_ID_PATTERN)
    try:
        return re.compile(value)
    except (TypeError, re.error) as error:
        wanted = f"a regular expression, such as {REQUEST_ID_PATTERN} ({error})"
        raise bad(name, value, wanted) from None


def _routes(env: Environment, given: Sequence[str] | None) -> tuple[str, ...]:
    name = "OTEL_AIOHTTP_LOGS_QUIET_ROUTES"
    routes: Sequence[str] | None = given
    if routes is None:
        routes = [r.strip() for r in env.text(name, "").split(",") if r.strip()]
    if isinstance(routes, str) or not all(
        isinstance(route, str) and route.startswith("/") for route in routes
    ):
        wanted = "a list of routes that begin with a slash, such as /health,/static/*"
        raise bad(name, given if given is not None else ",".join(routes), wanted)
    return tuple(routes)
