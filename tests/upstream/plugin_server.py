"""
A pytest plugin: each application that aiohttp's tests serve is instrumented first.

By the runner, because whatever is served goes through one: ``aiohttp_client``,
``TestServer``, ``AppRunner`` and ``run_app``. It's also the last moment at which an
application may be instrumented, and so changes least of what a test looks at before.
"""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web

from otel_aiohttp_logs import instrument_app

_init = web.AppRunner.__init__


def _instrument_first(self, app, **options):
    # No application, one that is frozen, one that had a runner before: as without us.
    with suppress(TypeError, RuntimeError):
        instrument_app(app, output="none")
    _init(self, app, **options)


# The first time reads files, which is nothing to do in a loop; aiohttp's tests watch
# for that, and a service calls it before it has one.
instrument_app(web.Application())
web.AppRunner.__init__ = _instrument_first
