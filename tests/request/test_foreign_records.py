"""Records that were made elsewhere, such as by a pickle or by ``makeLogRecord``."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider

from otel_aiohttp_logs import instrument_app
from otel_aiohttp_logs.output.stdout import stdout_handler


class Hostile:
    """Raises whatever it is asked, but for its text, which pytest's handlers want."""

    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError

    def __bool__(self):
        raise RuntimeError


VALUES = pytest.mark.parametrize("value", [["a list"], Hostile(), None, 7], ids=type)
NAMES = pytest.mark.parametrize("name", ["name", "module", "levelname", "trace_id"])


@VALUES
@NAMES
@pytest.mark.parametrize("upstream", [False, True])
async def test_nothing_is_raised_into_the_application(
    serve, quick_export, collector, name, value, upstream
):
    """Whatever stands where a name or an id should, the request is served."""

    async def say(request):
        fields = {"msg": "hello", "levelno": 20, name: value}
        logging.getLogger().handle(logging.makeLogRecord(fields))
        return web.Response()

    root = logging.getLogger()
    handler = LoggingHandler(logger_provider=LoggerProvider(shutdown_on_exit=False))
    if upstream:
        root.addHandler(handler)
    app = web.Application()
    app.router.add_get("/", say)
    instrument_app(app)
    client = await serve(app)
    response = await client.get("/")
    await client.close()
    root.removeHandler(handler)

    assert response.status == 200


@VALUES
@NAMES
@pytest.mark.parametrize("output", ["json", "console"])
def test_they_are_printed(capsys, name, value, output):
    """One line each, and none is lost; what can't be formatted is said."""
    handlers = logging.getLogger().handlers
    handler = stdout_handler(output, ours=handlers, access_lines=False)
    record = logging.makeLogRecord({"msg": "hello", "levelno": 20, name: value})
    handler.handle(record)

    assert handler.lost == 0
    assert capsys.readouterr().out.count("\n") == 1
