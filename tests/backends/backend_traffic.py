"""Both services as processes, and many requests of all kinds at once through them."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
from backend_processes import Running, running, stop
from backend_requests import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend_collector import Collector

SERVICES = Path(__file__).with_name("backend_services.py")


class Way(NamedTuple):
    """One way out of the process, and how many requests go it."""

    name: str
    pipeline: str
    protocol: str
    requests: int

    @property
    def front(self) -> str:
        return f"front-{self.name}"

    @property
    def back(self) -> str:
        return f"back-{self.name}"


class Answer(NamedTuple):
    status: int
    request_id: str | None
    trace_id: str | None
    """The trace that the caller had begun, None if it had none; so is *span_id*."""
    span_id: str | None


def send_through(way: Way, collector: Collector, folder: Path) -> list[Answer]:
    """
    Start both services, send all requests of *way* at once, and end the services.

    What comes back is the answer to each request, by its number.
    """
    with (
        _service("back", way.back, way, collector, folder, {}) as (back, back_url),
        _service(
            "front", way.front, way, collector, folder, {"BACK_URL": back_url}
        ) as (front, front_url),
    ):
        # A loop of its own, whatever loop the test runner keeps.
        with ThreadPoolExecutor(1) as thread:
            sent = thread.submit(asyncio.run, _send_all(front_url, way.requests))
            failure = sent.exception(60)
        for service in (front, back):
            status = stop(service.process, within=10)
            assert (status, failure) == (0, None), service.last_lines()
    return sent.result()


@contextmanager
def _service(
    role: str,
    name: str,
    way: Way,
    collector: Collector,
    folder: Path,
    environ: dict[str, str],
) -> Iterator[tuple[Running, str]]:
    port_file = folder / f"{name}.port"
    grpc = way.protocol == "grpc"
    environ |= {
        "PIPELINE": way.pipeline,
        "OTEL_SERVICE_NAME": name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc if grpc else collector.http,
        "OTEL_EXPORTER_OTLP_PROTOCOL": way.protocol,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
    }
    command = [sys.executable, str(SERVICES), role, str(port_file)]
    with running(name, command, folder, environ) as service:
        end = time.monotonic() + 20
        while not port_file.exists():
            ended = service.process.poll()
            assert ended is None, service.last_lines()
            assert time.monotonic() < end, service.last_lines()
            time.sleep(0.02)
        yield service, f"http://127.0.0.1:{port_file.read_text()}"


async def _send_all(url: str, count: int) -> list[Answer]:
    async with aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=30),
    ) as session:
        return await asyncio.gather(*(_send(session, n) for n in range(count)))


async def _send(session: aiohttp.ClientSession, n: int) -> Answer:
    kind = kind_of(n)
    trace_id = span_id = None
    headers = {}
    if n % 3 == 0:
        trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
        headers["traceparent"] = f"00-{trace_id}-{span_id}-01"
    if kind.name == "socket":
        status, answered = await _talk(session, kind.path(n), headers)
    else:
        async with session.request(
            kind.method,
            kind.path(n),
            headers=headers,
            allow_redirects=False,
            json={"n": n} if kind.method == "POST" else None,
        ) as response:
            await response.read()
            status, answered = response.status, response.headers
    return Answer(status, answered.get("X-Request-ID"), trace_id, span_id)


async def _talk(session, path, headers):
    async with session.ws_connect(path, headers=headers) as ws:
        for message in range(2):
            await ws.send_str(str(message))
            assert await ws.receive_str(timeout=20) == str(message)
        return ws._response.status, ws._response.headers
