"""What became of the records: a frozen snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class SignalStats:
    """
    The records of one signal since the start of the process.

    ``emitted == exported + queued + spooled + sum(dropped.values())``, always.
    """

    emitted: int = 0
    exported: int = 0
    """Accepted by the Collector."""
    queued: int = 0
    """Waiting, or being sent."""
    spooled: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    """By reason: ``queue_full``, ``rejected``, ``shutdown``, ``closed``, ``failed``."""
    retried: int = 0
    """How often a batch was posted again."""


@dataclass(frozen=True)
class Stats:
    """Both signals, and what else is counted."""

    logs: SignalStats = field(default_factory=SignalStats)
    spans: SignalStats = field(default_factory=SignalStats)
    lines_lost: int = 0
    """Lines that stdout did not take: it was closed, or a pipe without a reader."""
    request_ids_replaced: int = 0
    """Ids in a trusted header that broke the rules: the request got one of ours."""
    telemetry_failures: int = 0
    """Errors of this library while a request was served, which went on without it."""
