"""When to try again."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = 0.25
MAX_RETRY_AFTER = 60.0

# Our own, since the application may have seeded the shared one to repeat a run.
_random = random.Random()  # noqa: S311 - jitter is no secret


def backoff(longest: float) -> Iterator[float]:
    """
    Yield how many seconds to wait before each next try, doubling up to *longest*.

    Half of it is random, so that many processes don't come back at the same moment.
    """
    wait = FIRST
    while True:
        yield wait * _random.uniform(0.5, 1)
        wait = min(wait * 2, longest)


def retry_after(header: str | None) -> float:
    """Return the seconds that a ``Retry-After`` asks for, 0 if it says nothing."""
    if not header:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        # More digits than that are no wait that anybody meant.
        return min(float(text[:9]), MAX_RETRY_AFTER)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    seconds = (when - datetime.now(timezone.utc)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
