"""What is said of a Collector that fails: as few lines as possible, and none less."""

from __future__ import annotations

import logging
import time

log = logging.getLogger("otel_aiohttp_logs.export")

SILENCE = 300.0
"""Seconds between two lines about batches that the Collector refuses."""


class Health:
    """
    How one Collector does, for all the signals that it gets from us.

    One warning when it fails, one line when it works again. With *quiet* nobody
    named the Collector, so perhaps there's none: one line in all, ever.
    """

    def __init__(self, name: str, *, quiet: bool) -> None:
        self.name = name
        self._quiet = quiet
        self._failing: set[str] = set()
        self._said: dict[str, float] = {}
        self.ever_worked = False

    def worked(self, signal: str) -> None:
        self.ever_worked = True
        if signal not in self._failing:
            return
        self._failing.discard(signal)
        if not self._failing and not self._quiet:
            fields = {"collector": self.name}
            log.info("Collector at %s works again.", self.name, extra=fields)

    def unreachable(self, signal: str, reason: str) -> None:
        """Say, once, that records are kept because they cannot be delivered."""
        first = not self._failing
        self._failing.add(signal)
        fields = {"collector": self.name, "reason": reason}
        if self._quiet:
            if "quiet" not in self._said:
                self._said["quiet"] = time.monotonic()
                log.info(
                    "No Collector at %s yet (%s): tried again now and then. "
                    "OTEL_EXPORTER_OTLP_ENDPOINT names another one.",
                    self.name,
                    reason,
                    extra=fields,
                )
        elif first:
            log.warning(
                "Collector at %s fails (%s): records are kept, as many as fit, "
                "and sent when it works again.",
                self.name,
                reason,
                extra=fields,
            )

    def refused(self, signal: str, number: int, reason: str) -> None:
        """Say, seldom, that the Collector doesn't want what it gets."""
        self.ever_worked = True
        now = time.monotonic()
        key = "quiet" if self._quiet else signal
        if now - self._said.get(key, -SILENCE) < (SILENCE, 1e9)[self._quiet]:
            return
        self._said[key] = now
        log.log(
            logging.INFO if self._quiet else logging.WARNING,
            "Collector at %s refuses %s (%s): %d dropped.",
            self.name,
            signal,
            reason,
            number,
            extra={"collector": self.name, "reason": reason, "dropped": number},
        )
