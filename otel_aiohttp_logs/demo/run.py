"""The demo from start to end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial

from aiohttp import ClientError, ClientSession, ClientTimeout

from otel_aiohttp_logs.demo import report
from otel_aiohttp_logs.demo.caller import Caller
from otel_aiohttp_logs.demo.processes import Service, environment, running
from otel_aiohttp_logs.demo.receiver import Received, listen
from otel_aiohttp_logs.demo.terminal import Terminal, terminal

LOOPBACK = "127.0.0.1"
PATIENCE = 20


@dataclass(frozen=True)
class Demo:
    seconds: float | None
    rate: float
    port: int
    otlp_port: int
    color: bool | None


class DemoError(Exception):
    """What keeps the demo from running, in words for its user."""


def run_demo(demo: Demo) -> int:
    """Run *demo* and return the status to end with: 0 if all was told apart."""
    try:
        return asyncio.run(_run(demo, terminal(color=demo.color)))
    except DemoError as exc:
        print(f"otel-aiohttp-logs demo: {exc}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except BrokenPipeError:
        # The reader, such as head, has had enough. The interpreter's own last flush
        # must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


async def _run(demo: Demo, out: Terminal) -> int:
    stop = _stop_on_signals()
    received = Received()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        otlp = stack.enter_context(_bind(demo.otlp_port, "--otlp-port"))
        shop_sock = stack.enter_context(_bind(demo.port, "--port"))
        stock_sock = stack.enter_context(_bind(0, ""))
        endpoint, shop_url, stock_url = map(_url, (otlp, shop_sock, stock_sock))
        urls = {"shop": shop_url, "stock": stock_url, "OTLP receiver": endpoint}
        report.begin(out, urls, demo.seconds)
        stack.push_async_callback((await listen(received, otlp)).cleanup)
        env = partial(environment, endpoint=endpoint, color=out.color)
        show = partial(report.prefixed, out)
        stock_env = env("stock", OTEL_AIOHTTP_LOGS_REQUEST_ID_HEADER="X-Request-ID")
        stock = await enter(running("stock", stock_sock, stock_env, show("stock")))
        shop_env = env("shop", STOCK_URL=stock_url)
        shop = await enter(running("shop", shop_sock, shop_env, show("shop")))
        await _until_ready(shop, shop_url)
        await _until_ready(stock, stock_url)
        caller = Caller(await enter(ClientSession(shop_url)))
        await _call(caller, demo, stop, (shop, stock))
        # The shop first: its last requests still need the stock.
        await shop.stop()
        await stock.stop()
    return report.end(out, received, caller)


def _stop_on_signals() -> asyncio.Event:
    """Return what the first signal sets, to end in order; the second ends at once."""
    stop, task, loop = (
        asyncio.Event(),
        asyncio.current_task(),
        asyncio.get_running_loop(),
    )
    assert task

    def on_signal() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
    return stop


def _bind(port: int, option: str) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            why = "is taken: stop what listens there, or"
        else:
            why = f"cannot be had ({os.strerror(exc.errno or 0)}):"
        msg = f"port {port} {why} give another with {option}, or none for a free one."
        raise DemoError(msg) from None


def _url(sock: socket.socket) -> str:
    return f"http://{LOOPBACK}:{sock.getsockname()[1]}"


async def _until_ready(service: Service, url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    async with ClientSession(url, timeout=ClientTimeout(total=1)) as session:
        while time.monotonic() < deadline:
            _check_alive(service)
            with suppress(ClientError, asyncio.TimeoutError):
                async with session.get("/healthz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)
    msg = f"{service.name} did not answer within {PATIENCE} s; it said what is above."
    raise DemoError(msg)


async def _call(
    caller: Caller, demo: Demo, stop: asyncio.Event, services: tuple[Service, ...]
) -> None:
    """Send requests until the time is over, a signal comes, or a service ends."""
    waits: list[asyncio.Task[object]] = [
        asyncio.create_task(caller.call(demo.rate)),
        asyncio.create_task(stop.wait()),
        *(asyncio.create_task(service.ended()) for service in services),
    ]
    done, _ = await asyncio.wait(
        waits, timeout=demo.seconds, return_when=asyncio.FIRST_COMPLETED
    )
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    for wait in done:
        wait.result()
    await caller.finish()
    for service in services:
        _check_alive(service)


def _check_alive(service: Service) -> None:
    status = service.process.returncode
    if status is not None:
        msg = (
            f"{service.name} ended by itself with status {status}: see its lines above."
        )
        raise DemoError(msg)
