"""What goes to stdout, beside whatever the application configured itself."""

from __future__ import annotations

import json
import logging
import logging.config
import subprocess
import sys
import textwrap

import pytest
from aiohttp import web
from opentelemetry import trace

log = logging.getLogger("shop")
PROGRAM = """
import asyncio, logging, logging.config
from aiohttp import ClientSession, web
from otel_aiohttp_logs import instrument_app

async def ok(request):
    logging.getLogger("shop").info("handling")
    logging.getLogger("db.pool").debug("hidden")
    return web.Response()

async def main(app):
    app.router.add_get("/", ok)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        await session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    await runner.cleanup()

app = web.Application()
"""
QUIET = {"OTEL_LOGS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}


async def ok(request):
    log.info("handling")
    with trace.get_tracer("shop").start_as_current_span("inner"):
        return web.Response(text="ok")


def app_with_ok():
    app = web.Application()
    app.router.add_get("/", ok)
    return app


def run(code, **environ):
    """Run *code* as a program of its own and return what it wrote to stdout."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path), **environ},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_json_lines_on_stdout_by_default():
    """An application that configured nothing gets one JSON line for each record."""
    out = run(PROGRAM + "instrument_app(app)\nasyncio.run(main(app))", **QUIET)

    own, access = map(json.loads, out.splitlines())
    assert (own["logger"], own["message"], own["level"]) == ("shop", "handling", "INFO")
    assert access["logger"] == "aiohttp.access"
    assert own["trace_id"] == access["trace_id"]
    assert own["request_id"] == access["request_id"]
    assert list(own) == [
        "timestamp",
        "level",
        "logger",
        "message",
        "request_id",
        "trace_id",
        "span_id",
        "trace_flags",
    ]


@pytest.mark.parametrize(
    ("options", "lines"),
    [('output="none"', 0), ('level="DEBUG", output="json"', 3), ('level="ERROR"', 0)],
)
def test_output_and_level_can_be_chosen(options, lines):
    """They say what goes to stdout, and from which level on."""
    code = f"{PROGRAM}instrument_app(app, {options})\nasyncio.run(main(app))"
    out = run(code, **QUIET).splitlines()

    assert len([line for line in out if '"asyncio"' not in line]) == lines


def test_lines_that_stdout_does_not_take_are_counted():
    """A closed stdout never reaches the application, and can be seen in stats()."""
    setup = """
import os, sys
from otel_aiohttp_logs import stats
instrument_app(app, output="json")
kept = os.dup(1)
sys.stdout.close()
asyncio.run(main(app))
os.write(kept, str(stats().lines_lost).encode())
"""
    assert run(PROGRAM + setup, **QUIET) == "2"


@pytest.mark.parametrize("first", [True, False])
def test_an_existing_configuration_is_kept(first):
    """BasicConfig before or after the call: its lines, once each, and none of ours."""
    basic = (
        "import sys\n"
        "logging.basicConfig(stream=sys.stdout, level=logging.INFO,"
        " format='%(name)s %(trace_id)s %(message)s')\n"
    )
    ours = "instrument_app(app)\n"
    setup = basic + ours if first else ours + basic
    out = run(PROGRAM + setup + "asyncio.run(main(app))", **QUIET).splitlines()

    assert len(out) == 2
    name, trace_id, message = out[0].split(" ", 2)
    assert (name, message) == ("shop", "handling")
    assert len(trace_id) == 32
    assert out[1].startswith(f"aiohttp.access {trace_id} ")


def test_a_configured_level_is_kept():
    """A handler without a level: Python's WARNING stays. A level alone: it stays."""
    run_it = "instrument_app(app)\nasyncio.run(main(app))"
    handler = "import sys\nlogging.basicConfig(stream=sys.stdout)\n"
    level = "logging.getLogger().setLevel(logging.ERROR)\n"

    assert run(PROGRAM + handler + run_it, **QUIET) == ""
    assert run(PROGRAM + level + run_it, **QUIET) == ""


def test_only_loggers_without_a_handler_get_ours():
    """A handler on one logger: its lines aren't doubled, the others are still shown."""
    setup = """
import sys
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("own %(message)s"))
logging.getLogger("shop").addHandler(handler)
instrument_app(app)
asyncio.run(main(app))
"""
    out = run(PROGRAM + setup, **QUIET).splitlines()

    assert out[0] == "own handling"
    assert [json.loads(line)["logger"] for line in out[1:]] == ["aiohttp.access"]


def test_formatters_can_be_named_in_dict_config():
    """JSONFormatter and ConsoleFormatter need no argument."""
    setup = """
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "otel_aiohttp_logs.JSONFormatter"},
        "console": {"()": "otel_aiohttp_logs.ConsoleFormatter"},
    },
    "handlers": {
        name: {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": name,
        }
        for name in ("json", "console")
    },
    "root": {"level": "INFO", "handlers": ["json", "console"]},
})
instrument_app(app)
asyncio.run(main(app))
"""
    out = run(PROGRAM + setup, NO_COLOR="1", **QUIET).splitlines()

    assert len(out) == 4
    request_id = json.loads(out[0])["request_id"]
    assert request_id[:4] in out[1]
    assert "handling" in out[1]
