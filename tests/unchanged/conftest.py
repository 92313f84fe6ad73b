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


class Start:
    """Starts an application, as it is or instrumented; returns its port."""

    def __init__(self):
        self._runners = []

    async def __call__(self, app, *, ours, **options):
        if ours:
            instrument_app(app, output="none")
        runner = web.AppRunner(app, **{"shutdown_timeout": 1, **options})
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner.addresses[0][1]

    async def stop(self):
        while self._runners:
            await self._runners.pop().cleanup()


@pytest.fixture
async def start(quick_export):
    start = Start()
    yield start
    await start.stop()


@pytest.fixture
def both(start):
    """Return a function that starts what *make* makes, twice."""

    async def both(make, **options):
        plain = await start(make(), ours=False, **options)
        return Pair(plain, await start(make(), ours=True, **options))

    return both
