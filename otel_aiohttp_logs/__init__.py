"""
Each log line of an aiohttp service says which request it belongs to.

``instrument_app(app)`` is the one call. A request's way through this package:

    _setup          instrument_app() and its undoing
    _instrumented   what one application has of ours: puts the stages together
    _settings       options and OTEL_* variables become one frozen Settings
                    (_environment reads variables, _resource says who is speaking,
                    in which _version)
    _process        what is process-wide, counted by the applications that use it
    _contrib        contrib's server instrumentation steps aside
    _meter          the MeterProvider that somebody set
    request/        middleware: a request gets its span and id
    client/         each call that the application makes: a span, and what it sends on
    span/           the API's span that becomes one flat record; ids, sampling, W3C
    scope/          what belongs to a request: its id, the fields bound to it
    hooks/          what only process-wide hooks can reach: threads, executors
    record/         each log record is stamped with its ids, and made safe and flat
    output/         lines for people and machines on stdout
    flat            the two flat records: a span, a line
    pipeline/       the ways out: our own, the SDK's, the application's providers
    export/         queue, encoder, transport: flat records to OTLP, off the loop
    _speed/         compiled twins of what runs most often, where there are any
    demo/           a shop of two services, with an OTLP receiver of its own
    cli             the console script; __main__ is the same
"""

from otel_aiohttp_logs._setup import flush, instrument_app, stats, uninstrument_app
from otel_aiohttp_logs.client.config import client_trace_config
from otel_aiohttp_logs.export.stats import SignalStats, Stats
from otel_aiohttp_logs.output.console import ConsoleFormatter
from otel_aiohttp_logs.output.json_lines import JSONFormatter
from otel_aiohttp_logs.request.request_id import request_id
from otel_aiohttp_logs.scope.bind import bind, bound
from otel_aiohttp_logs.scope.detach import detached
from otel_aiohttp_logs.scope.step import step

__all__ = [
    "ConsoleFormatter",
    "JSONFormatter",
    "SignalStats",
    "Stats",
    "bind",
    "bound",
    "client_trace_config",
    "detached",
    "flush",
    "instrument_app",
    "request_id",
    "stats",
    "step",
    "uninstrument_app",
]
