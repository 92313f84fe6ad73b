"""A figure beside what is to be reached, and how the bench says on what it was had."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from statistics import median


def machine():
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"{datetime.now(timezone.utc):%Y-%m-%d}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores ({platform.machine()}), load {load}, {compiled()}"
    )


def compiled():
    from otel_aiohttp_logs import _speed  # noqa: PLC0415 - what it says is asked late

    return "compiled twins" if _speed.native else "pure Python"


def spread(values):
    """Return the median, and the lowest and the highest behind it."""
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def goal(name, values, limit, *, least=False, unit=""):
    """Return a line: what was measured, what is to be reached, whether it is."""
    got = median(values)
    reached = got >= limit if least else got <= limit
    bound = "at least" if least else "at most"
    shown = f"{spread(values)}{unit}"
    verdict = "reached" if reached else "NOT REACHED"
    return f"{name:<56}{shown:<32}{bound} {limit:g}{unit}: {verdict}"


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
