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
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_aiohttp_logs._environment import Environment, bad
from otel_aiohttp_logs._resource import resource_attributes
from otel_aiohttp_logs.export.settings import ExportSettings, export_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

PIPELINES = ("own", "sdk")
HOOKS = ("threads", "executors")
OUTPUTS = ("auto", "json", "console", "none")
SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)


@dataclass(frozen=True)
class Options:
    """What the call of ``instrument_app`` says; None leaves it to the variable."""

    pipeline: str | None = None
    output: str | None = None
    level: int | str | None = None
    span_events: bool | None = None
    request_id_header: str | None = None
    websocket_spans: bool | None = None
    hooks: str | None = None


@dataclass(frozen=True)
class Settings:
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
    sampler: str
    sampler_ratio: float
    resource: Mapping[str, str]
    traces: ExportSettings
    logs: ExportSettings


def read_settings(
    options: Options, environ: Mapping[str, str] = os.environ
) -> Settings:
    """
    Return the settings that *options* and *environ* make together.

    Raises ``ValueError`` that names the option or variable and what to write.
    """
    env = Environment(environ)
    prefix = "OTEL_AIOHTTP_LOGS_"
    pipeline = env.choice(f"{prefix}PIPELINE", PIPELINES, "own", given=options.pipeline)
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
        sampler=env.choice("OTEL_TRACES_SAMPLER", SAMPLERS, "parentbased_always_on"),
        sampler_ratio=env.ratio("OTEL_TRACES_SAMPLER_ARG", 1.0),
        resource=resource_attributes(env),
        traces=export_settings(env, "TRACES", own=pipeline == "own"),
        logs=export_settings(env, "LOGS", own=pipeline == "own"),
    )


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
