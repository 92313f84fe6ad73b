"""
The query APIs of Jaeger and VictoriaLogs, as their documentation words them.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from stack_check.ground import Addresses

Fields = dict[str, str]
KINDS = {
    1: "internal",
    2: "server",
    3: "client",
    "SPAN_KIND_INTERNAL": "internal",
    "SPAN_KIND_SERVER": "server",
    "SPAN_KIND_CLIENT": "client",
}
FAILED = {2, "STATUS_CODE_ERROR"}
MOST = 100_000


@dataclass(frozen=True)
class StoredSpan:
    service: str
    kind: str
    name: str
    span_id: str
    parent_id: str
    failed: bool
    start_ns: int
    end_ns: int
    attributes: dict[str, str]


@dataclass(frozen=True)
class Stores:
    session: ClientSession
    at: Addresses

    async def trace(self, trace_id: str) -> list[StoredSpan]:
        """
        Return the spans of a trace that Jaeger has, none while it knows none.
        """
        url = f"{self.at.jaeger}/api/v3/traces/{trace_id}"
        async with self.session.get(url) as answer:
            if answer.status == 404:
                return []
            answer.raise_for_status()
            return list(_spans(json.loads(await answer.text())))

    async def traces(self, ids: Iterable[str]) -> dict[str, list[StoredSpan]]:
        wanted = list(ids)
        got = await asyncio.gather(*map(self.trace, wanted))
        return dict(zip(wanted, got, strict=True))

    async def lines(
        self, query: str, start_ns: int, end_ns: int | None = None, limit: int = MOST
    ) -> list[Fields]:
        """
        Return the lines that VictoriaLogs finds, in the order of their times.
        """
        end = time.time_ns() + 10**9 if end_ns is None else end_ns
        params = {
            "query": f"{query} | sort by (_time)",
            "start": str(start_ns),
            "end": str(end),
            "limit": str(limit),
        }
        url = f"{self.at.logs}/select/logsql/query"
        async with self.session.get(url, params=params) as answer:
            answer.raise_for_status()
            text = await answer.text()
        return [json.loads(row) for row in text.splitlines()]

    async def show_at_once(self) -> None:
        """
        Let VictoriaLogs find what it took in already, and not a second later.
        """
        async with self.session.get(f"{self.at.logs}/internal/force_flush") as answer:
            answer.raise_for_status()


@asynccontextmanager
async def open_stores(at: Addresses) -> AsyncIterator[Stores]:
    timeout = ClientTimeout(total=20)
    connector = TCPConnector(limit=20)
    async with ClientSession(timeout=timeout, connector=connector) as session:
        yield Stores(session, at)


async def until(done: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """
    Ask again and again, for *seconds* at most; tell whether it came true.
    """
    end = time.monotonic() + seconds
    while not await done():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.3)
    return True


def _spans(answer: dict[str, Any]) -> Iterable[StoredSpan]:
    for resource in answer["result"]["resourceSpans"]:
        service = _attributes(resource["resource"]).get("service.name", "?")
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield StoredSpan(
                    service=service,
                    kind=KINDS.get(span.get("kind"), "other"),
                    name=span["name"],
                    span_id=span["spanId"],
                    parent_id=span.get("parentSpanId", ""),
                    failed=span.get("status", {}).get("code") in FAILED,
                    start_ns=int(span["startTimeUnixNano"]),
                    end_ns=int(span["endTimeUnixNano"]),
                    attributes=_attributes(span),
                )


def _attributes(owner: dict[str, Any]) -> dict[str, str]:
    return {
        pair["key"]: str(next(iter(pair.get("value", {}).values()), ""))
        for pair in owner.get("attributes", ())
    }
