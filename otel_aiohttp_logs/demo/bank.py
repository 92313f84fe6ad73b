"""The bank: it's slow, and it refuses."""

from __future__ import annotations

import asyncio
import logging
import time

from otel_aiohttp_logs import step

log = logging.getLogger("shop")


class CardRefusedError(Exception):
    """The bank does not pay."""


async def charge_card(number: int) -> None:
    with step("charge card", order=number, card="visa"):
        await asyncio.to_thread(_check_card, number)
        log.error("card refused", extra={"order": number, "code": 51})
        msg = f"the bank refused the card of order {number}"
        raise CardRefusedError(msg)


def _check_card(number: int) -> None:
    time.sleep(0.02)
    log.warning("card checked", extra={"order": number, "risk": 0.81})
