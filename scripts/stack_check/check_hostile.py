"""
Check 7: lines that a log store cannot take as they are arrive, and nothing dies.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError

from stack_check.ask import until
from stack_check.hostile import LINES, MESSAGE_OF_3_MB, OWN_VALUES
from stack_check.processes import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from stack_check.ask import Fields, Stores
    from stack_check.ground import Ground
    from stack_check.report import Report

PATIENCE = 15
SERVICE = "hostile"


async def check_hostile(report: Report, ground: Ground, stores: Stores) -> None:
    start_ns = time.time_ns() - 10**9
    with report.row(
        7, "hostile fields in extra=… arrive under their request's id"
    ) as row:
        async with _application(ground.addresses.otlp) as url:
            trace_id = secrets.token_hex(16)
            headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
            async with stores.session.get(url, headers=headers) as answer:
                request_id = answer.headers["X-Request-ID"]
            wanted = {*LINES, MESSAGE_OF_3_MB, "before", "after"}
            query = f'request_id:="{request_id}"'
            lines = await _lines(stores, query, start_ns, len(wanted))
        found = Counter(_message(line) for line in lines)
        good = sum(found[message] == 1 for message in wanted)
        row.all_of(good, len(wanted), "lines, each once")
        row.none_of(_wrong(lines, trace_id))
    with report.row(7, "records of others, straight by OTLP, arrive as well") as row:
        trace_id = secrets.token_hex(16)
        await _post(stores, trace_id)
        query = f'trace_id:="{trace_id}"'
        lines = await _lines(stores, query, start_ns, len(LINES) + 2)
        found = Counter(line.get("kept", "") for line in lines)
        good = sum(found[str(kept)] == 1 for kept in range(len(LINES) + 2))
        row.all_of(good, len(LINES) + 2, "records, each once")
        row.none_of(_wrong(lines, trace_id))
    with report.row(7, "every part is still up, and was not started again") as row:
        died = await asyncio.to_thread(ground.died)
        row.count("6 parts" if not died else f"{len(died)} of 6 died")
        row.none_of(f"{part} has died" for part in died)


def _wrong(lines: list[Fields], trace_id: str) -> list[str]:
    wrong = []
    for line in lines:
        said = line["_msg"][:60]
        if line.get("service.name") != SERVICE:
            wrong.append(f"{said}: service.name is {line.get('service.name')}")
        if line.get("trace_id") != trace_id:
            wrong.append(f"{said}: trace_id is {line.get('trace_id')}")
        own = OWN_VALUES.get(said)
        if own and line.get(own) != "mine":
            wrong.append(f"{said}: the application's value is not under {own}")
    return wrong


def _message(line: Fields) -> str:
    text = line["_msg"]
    return MESSAGE_OF_3_MB if text.startswith(MESSAGE_OF_3_MB) else text


async def _lines(
    stores: Stores, query: str, start_ns: int, wanted: int
) -> list[Fields]:
    lines: list[Fields] = []

    async def there() -> bool:
        await stores.show_at_once()
        lines[:] = await stores.lines(query, start_ns)
        return len(lines) >= wanted

    await until(there, PATIENCE)
    return lines


@asynccontextmanager
async def _application(otlp: str) -> AsyncIterator[str]:
    """
    Run the application of ``hostile``, which sends to the published port.
    """
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stack_check.hostile"),
        env={
            **os.environ,
            "PORT": str(port),
            "OTEL_SERVICE_NAME": SERVICE,
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        },
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listening(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def _listening(port: int) -> None:
    async def connected() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    if not await until(connected, PATIENCE):
        msg = "the hostile application does not listen"
        raise ClientError(msg)


async def _post(stores: Stores, trace_id: str) -> None:
    """
    Send the same lines as a program without our library would, and maps as bodies.
    """
    bodies: list[tuple[Any, dict[str, Any]]] = [*LINES.items()]
    bodies.append(({"service.name": "mine", "trace_id": "mine"}, {}))
    bodies.append((f"{MESSAGE_OF_3_MB} {'ö' * 1_500_000}", {}))
    records = [
        {
            "traceId": trace_id,
            "spanId": secrets.token_hex(8),
            "timeUnixNano": str(time.time_ns()),
            "severityText": "INFO",
            "severityNumber": 9,
            "attributes": _pairs({"kept": str(kept), **fields}),
            "body": _value(body),
        }
        for kept, (body, fields) in enumerate(bodies)
    ]
    resource = {"attributes": _pairs({"service.name": SERVICE})}
    scopes = [{"scope": {"name": "raw"}, "logRecords": records}]
    batch = {"resourceLogs": [{"resource": resource, "scopeLogs": scopes}]}
    async with stores.session.post(f"{stores.at.otlp}/v1/logs", json=batch) as answer:
        answer.raise_for_status()


def _pairs(fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in fields.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _pairs(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": str(value)}
