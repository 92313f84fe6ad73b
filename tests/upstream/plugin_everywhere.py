"""A pytest plugin: each application is instrumented as it's made, sub-ones as well."""

from __future__ import annotations

from aiohttp import web

from otel_aiohttp_logs import instrument_app

# The first time reads files, which aiohttp's tests forbid in a running loop.
instrument_app(web.Application())
_init = web.Application.__init__


def _instrument_at_once(self, *args, **options):
    _init(self, *args, **options)
    instrument_app(self, output="none")


web.Application.__init__ = _instrument_at_once
