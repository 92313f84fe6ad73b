"""On what machine, and with what of ours, figures were had."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone


def machine():
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"{datetime.now(timezone.utc):%Y-%m-%d}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores ({platform.machine()}), load {load}, {compiled()}"
    )


def compiled():
    from otel_aiohttp_logs import _speed  # noqa: PLC0415 - what it says is asked late

    return "compiled twins" if _speed.native else "pure Python"
