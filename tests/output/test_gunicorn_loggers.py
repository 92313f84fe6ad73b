"""gunicorn's two loggers, by themselves: heard once, and left as they were."""

from __future__ import annotations

import io
import logging

import pytest
from aiohttp import web

from otel_aiohttp_logs import instrument_app

NAMES = ("gunicorn.access", "gunicorn.error")


@pytest.fixture(params=[True, False], ids=["propagating", "by themselves"])
def loggers(request):
    """As gunicorn sets them up, or as an application that has them pass lines up."""
    made = [logging.getLogger(name) for name in NAMES]
    handler = logging.StreamHandler(io.StringIO())
    for logger in made:
        logger.propagate = request.param
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    yield made
    for logger in made:
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)


async def test_each_line_is_exported_once(
    loggers, serve, quick_export, arrived, records
):
    """From start to end of the application; afterwards its handlers are as before."""
    before = [list(logger.handlers) for logger in loggers]
    app = web.Application()
    instrument_app(app, output="none")
    client = await serve(app)
    for logger in loggers:
        logger.info("said")
    sent = [await arrived.lines(1, scope=name) for name in NAMES]
    await client.close()

    assert [line.body for (line,) in sent] == ["said", "said"]
    assert [list(logger.handlers) for logger in loggers] == before
