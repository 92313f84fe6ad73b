"""asyncio's debug line about what held up the loop."""

from __future__ import annotations

import asyncio
import time

import pytest


async def test_a_slow_callback(asked, records):
    """asyncio's debug line about it has the ids of the request that was slow."""
    loop = asyncio.get_running_loop()
    if not hasattr(loop, "_current_handle"):
        pytest.skip("uvloop doesn't say what it runs")

    async def work():
        await asyncio.sleep(0)  # an eager task has begun in the connection's step
        time.sleep(0.15)  # noqa: ASYNC251 (that's the fault)

    loop.set_debug(True)
    asked_id = await asked(work)
    time.sleep(0.15)  # noqa: ASYNC251
    await asyncio.sleep(0)
    loop.set_debug(False)

    slow = [r for r in records if r.getMessage().startswith("Executing <")]
    assert [r.request_id for r in slow] == [asked_id, None]
