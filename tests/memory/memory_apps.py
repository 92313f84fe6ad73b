"""
Makes, serves and drops as many applications as its argument says, one after the other.

``python memory_apps.py ours|plain NUMBER``: one JSON object on stdout, what is left.
The first tenth of them are alone in the process, so that all that is process-wide comes
and goes with each; another one runs beside the others.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import time

from memory_app import alive, make_app, serve, what_is_there
from memory_client import get, say

from otel_aiohttp_logs import stats

WARM_UP = 20


async def main(kind: str, number: int) -> None:
    logging.getLogger().addHandler(logging.NullHandler())
    ours = kind == "ours"
    await _serve_each(WARM_UP, ours=ours)
    before = _left()
    begun = time.process_time()
    await _serve_each(number // 10, ours=ours)
    beside, _ = await serve(make_app(ours=ours))
    await _serve_each(number - number // 10, ours=ours)
    await beside.cleanup()
    cpu = time.process_time() - begun
    beside = None
    left = _left()
    print(
        json.dumps(
            {
                "applications": number,
                "alive": left.get("aiohttp.web_app.Application", 0),
                "requests_alive": len(alive),
                "grown": {
                    name: left[name] - before.get(name, 0)
                    for name in left
                    if left[name] != before.get(name, 0)
                },
                "ms_each": round(cpu / number * 1e3, 1),
                "failures": stats().telemetry_failures,
            }
        )
    )


async def _serve_each(number: int, *, ours: bool) -> None:
    for i in range(number):
        app = make_app(ours=ours)
        runner, port = await serve(app)
        answer = await say(port, get(f"/bound/{i}", extra="Connection: close\r\n"))
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        await runner.cleanup()


def _left() -> dict[str, int]:
    for _ in range(3):
        gc.collect()
    return what_is_there()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
