"""The same application twice: on a server as it is, and on one that is instrumented."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from aiohttp import web

from otel_aiohttp_logs import instrument_app


class Pair(NamedTuple):
    """The ports of both."""

    plain: int
    ours: int


@pytest.fixture
async def start(quick_export):
    """Return a function that starts an application, as it is or instrumented."""
    runners = []

    async def start(app, *, ours, **options):
        if ours:
            instrument_app(app, output="none")
        runner = web.AppRunner(app, **{"shutdown_timeout": 1, **options})
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner.addresses[0][1]

    yield start
    for runner in reversed(runners):
        await runner.cleanup()


@pytest.fixture
def both(start):
    """Return a function that starts what *make* makes, twice."""

    async def both(make, **options):
        plain = await start(make(), ours=False, **options)
        return Pair(plain, await start(make(), ours=True, **options))

    return both
