"""What the demo can be told, and what keeps it from running."""

from __future__ import annotations

import asyncio
import re
import socket
import sys

import pytest
from aiohttp import ClientSession
from demo_program import PATIENCE, running


@pytest.mark.parametrize("option", ["--port", "--otlp-port"])
async def test_says_which_port_is_taken(option):
    """A port that is taken costs one line, which says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with running(option, port) as demo:
            assert await demo.end() == 1

    assert demo.text == (
        f"otel-aiohttp-logs demo: port {port} is taken: stop what listens there, or "
        f"give another with {option}, or none for a free one."
    )


async def test_ports_can_be_chosen():
    """``--port`` is where the shop answers requests of one's own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with running("--port", str(port)) as demo:
        await demo.until("shop opened")
        async with ClientSession(f"http://127.0.0.1:{port}") as session:
            response = await session.get("/baskets/5")
            assert response.status == 404
        await demo.until("basket not found  user_id=105 basket=5")


async def test_reader_that_leaves():
    """A reader that has seen enough, such as ``head``, ends it without complaint."""
    demo = f"{sys.executable} -m otel_aiohttp_logs demo"
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"{demo} | head -n 12; echo ${{PIPESTATUS[0]}}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(shell.communicate(), PATIENCE)

    lines = out.decode().splitlines()
    assert len(lines) == 13, out
    assert lines[-1] == "141"


async def test_colours():
    """``--color`` and ``--no-color`` decide for it and for both of its services."""
    async with running("--seconds", "1", "--color") as colored:
        assert await colored.end() == 0
    async with running("--seconds", "1", "--no-color", FORCE_COLOR="1") as plain:
        assert await plain.end() == 0

    assert "\x1b[" not in plain.text
    assert re.search(r"\x1b\[36mshop \x1b\[0m .*\x1b\[38;5;\d+m▌", colored.text)


async def test_own_settings_do_not_reach_the_demo():
    """Variables meant for one's own services do not change or break it."""
    env = {
        "OTEL_SDK_DISABLED": "true",
        "OTEL_TRACES_SAMPLER": "nonsense",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "OTEL_AIOHTTP_LOGS_OUTPUT": "none",
        "PORT": "1",
    }
    async with running("--seconds", "1", **env) as demo:
        assert await demo.end() == 0, demo.text
