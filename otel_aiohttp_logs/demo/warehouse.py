"""The warehouses: it takes them a while to say when they can deliver."""

from __future__ import annotations

import asyncio
import logging

from otel_aiohttp_logs import step

log = logging.getLogger("stock")

SITES = ("north", "harbour", "hill")


async def days_until_delivery(number: int) -> int:
    site, days = SITES[number % len(SITES)], 2 + number % 4
    async with step("call warehouse", order=number, site=site):
        log.info("warehouse called", extra={"order": number, "site": site})
        await asyncio.sleep(0.4)
        log.warning("warehouse is slow", extra={"order": number, "site": site})
        await asyncio.sleep(0.2)
        log.info("warehouse answered", extra={"order": number, "days": days})
    return days
