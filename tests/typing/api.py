"""Each public name, used the way a user would; checked by mypy --strict."""

import logging
import logging.config
from collections.abc import AsyncIterator, Mapping

import aiohttp
from aiohttp import web
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_aiohttp_logs import (
    ConsoleFormatter,
    JSONFormatter,
    SignalStats,
    Stats,
    bind,
    bound,
    client_trace_config,
    detached,
    flush,
    instrument_app,
    request_id,
    stats,
    step,
    uninstrument_app,
)


@detached()
def price_of(item: str) -> float:
    return float(len(item))


@bound(work="refresh")
@step("refresh", kind="price")
async def refresh(price: float) -> None:
    print(price)


@step("rows")
async def rows(number: int) -> AsyncIterator[int]:
    yield number


async def handler(request: web.Request) -> web.Response:
    found: str | None = request_id()
    bind(user_id=7, cart=["tea"])
    with bound(page=1), detached():
        price: float = price_of("tea")
    async with bound(page=2):
        await refresh(price)
    with step("total", name="sum"):
        total: int = sum([row async for row in rows(3)])
    async with step("print"):
        print(total)
    calls = client_trace_config(
        propagate_to=["stock", ".shop.example"],
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
    )
    async with aiohttp.ClientSession(trace_configs=[calls]) as session:
        await session.get("http://stock")
    return web.json_response({"id": found})


def main() -> None:
    app = web.Application()
    app.router.add_get("/", handler)
    instrument_app(app)
    uninstrument_app(app)
    instrument_app(
        app,
        pipeline="sdk",
        output="json",
        level=logging.DEBUG,
        span_events=True,
        request_id_header="X-Request-ID",
        request_id_pattern=r"\d+",
        access_log="event",
        quiet_routes=["/health"],
        websocket_spans=True,
        hooks="threads,executors",
        tracer_provider=TracerProvider(),
        logger_provider=LoggerProvider(),
        meter_provider=MeterProvider(),
    )
    console = logging.StreamHandler()
    console.setFormatter(ConsoleFormatter(colors=False))
    lines = logging.StreamHandler()
    lines.setFormatter(JSONFormatter())
    web.run_app(app)
    sent: bool = flush(timeout=2.5)
    counts: Stats = stats()
    logs: SignalStats = counts.logs
    dropped: Mapping[str, int] = logs.dropped
    print(sent, counts.spans.exported, sum(dropped.values()))
