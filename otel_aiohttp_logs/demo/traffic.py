"""
The traffic of the demo, as a program, and a page that starts scenarios by hand.

    TARGET_URL=http://127.0.0.1:8081 python -m otel_aiohttp_logs.demo.traffic

Variables: ``TARGET_URL`` (the shop), ``RPS`` (requests a second, 2; 0 for none but
those asked for), ``HOST`` and ``PORT`` of the page (127.0.0.1 and 8083).
"""

from __future__ import annotations

import asyncio
import html
import itertools
import logging
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession, TCPConnector, web

from otel_aiohttp_logs.demo.caller import MOST_AT_ONCE, TURNS, Caller, Sent
from otel_aiohttp_logs.demo.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger("traffic")

CALLER = web.AppKey("caller", Caller)
MOST_PER_SECOND = 50
MOST_PER_RUN = 500
MIXED = "mixed"
PAGE = Path(__file__).with_name("traffic.html")


async def show_page(request: web.Request) -> web.Response:
    happens = {name: scenario.happens for name, scenario in SCENARIOS.items()}
    happens[MIXED] = "All of them, taking turns."
    rows = "".join(
        f'<tr><th><a href="run/{name}">{name}</a></th><td>{html.escape(text)}</td>'
        f'<td><a href="run/{name}?count=20">20 at once</a></td></tr>'
        for name, text in happens.items()
    )
    page = PAGE.read_text(encoding="utf-8")
    count = str(request.app[CALLER].count)
    text = page.replace("<!-- rows -->", rows).replace("<!-- count -->", count)
    return web.Response(text=text, content_type="text/html")


async def run_scenario(request: web.Request) -> web.Response:
    """Send ``count`` requests of a scenario at once, and tell their trace ids."""
    name = request.match_info["scenario"]
    if name not in SCENARIOS and name != MIXED:
        raise web.HTTPNotFound(text=f"there is no scenario {name[:40]}: / lists them\n")
    count = _count(request.query.get("count", "1"))
    caller = request.app[CALLER]
    names = TURNS if name == MIXED else (name,)
    turns = itertools.islice(itertools.cycle(names), count)
    tasks = [caller.start(SCENARIOS[turn]) for turn in turns]
    answered = [sent for sent in await asyncio.gather(*tasks) if sent]
    return web.json_response(
        {
            "scenario": name,
            "sent": count,
            "unanswered": count - len(answered),
            "failures": list(caller.failures) if len(answered) < count else [],
            "requests": [_told(sent) for sent in answered],
        }
    )


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_PER_RUN:
        return int(text)
    msg = f"count is a whole number from 1 to {MOST_PER_RUN}\n"
    raise web.HTTPBadRequest(text=msg)


def _told(sent: Sent) -> dict[str, str | int | None]:
    return {
        "trace_id": sent.trace_id,
        "parent_id": sent.parent_id,
        "scenario": sent.scenario.name,
        "number": sent.number,
        "status": sent.status,
    }


async def healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def application(target_url: str, per_second: float) -> web.Application:
    app = web.Application()
    app.router.add_get("/", show_page)
    app.router.add_get("/run/{scenario}", run_scenario)
    app.router.add_get("/healthz", healthy)

    async def calling(app: web.Application) -> AsyncIterator[None]:
        # Begun anywhere, so that a restart hardly repeats them.
        numbers = itertools.count(random.randrange(1_000, 10_000) * 1_000)
        connector = TCPConnector(limit=MOST_AT_ONCE)
        async with ClientSession(target_url, connector=connector) as session:
            app[CALLER] = caller = Caller(session, numbers)
            tasks = [
                asyncio.create_task(caller.call(per_second)),
                asyncio.create_task(_tell_failures(caller)),
            ]
            yield
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app.cleanup_ctx.append(calling)
    return app


async def _tell_failures(caller: Caller) -> None:
    """Log once that the shop does not answer, and once that it does again."""
    silent = False
    while True:
        await asyncio.sleep(1)
        if bool(caller.failures) is not silent:
            silent = not silent
            if silent:
                log.warning("the shop does not answer: %s", caller.failures[0])
            else:
                log.info("the shop answers again")


def main() -> None:
    env = os.environ.get
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    target = env("TARGET_URL") or "http://127.0.0.1:8081"
    try:
        per_second = float(env("RPS") or 2)
        port = int(env("PORT") or 8083)
    except ValueError as exc:
        sys.exit(f"RPS and PORT are numbers: {exc}")
    per_second = min(max(per_second, 0), MOST_PER_SECOND)
    log.info("%s requests a second to %s", per_second, target)
    web.run_app(
        application(target, per_second),
        host=env("HOST") or "127.0.0.1",
        port=port,
        access_log=None,
        shutdown_timeout=3,
    )


if __name__ == "__main__":
    main()
