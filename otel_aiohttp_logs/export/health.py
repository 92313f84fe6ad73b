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
        self.ever_worked = False
        self._quiet = quiet
        self._said_once = False
        self._failing: set[str] = set()
        self._silent_until: dict[str, float] = {}

    def worked(self, signal: str) -> None:
        self.ever_worked = True
        if signal not in self._failing:
            return
        self._failing.discard(signal)
        if not self._failing and not self._quiet:
            log.info(
                "Collector at %s works again.",
                self.name,
                extra={"collector": self.name},
            )

    def unreachable(self, signal: str, reason: str) -> None:
        """Say, once, that records are kept because they cannot be delivered."""
        first = not self._failing
        self._failing.add(signal)
        if self._quiet:
            self._say_once(
                "No Collector at %s yet (%s): tried again now and then. "
                "OTEL_EXPORTER_OTLP_ENDPOINT names another one.",
                reason,
            )
        elif first:
            log.warning(
                "Collector at %s fails (%s): records are kept, as many as fit, "
                "and sent when it works again.",
                self.name,
                reason,
                extra={"collector": self.name, "reason": reason},
            )

    def refused(self, signal: str, number: int, reason: str) -> None:
        """Say, seldom, that the Collector doesn't want what it gets."""
        self.ever_worked = True
        if self._quiet:
            self._say_once("Collector at %s refuses " + signal + " (%s).", reason)
            return
        now = time.monotonic()
        if now < self._silent_until.get(signal, now):
            return
        self._silent_until[signal] = now + SILENCE
        log.warning(
            "Collector at %s refuses %s (%s): %d dropped. stats() counts them all.",
            self.name,
            signal,
            reason,
            number,
            extra={"collector": self.name, "reason": reason, "dropped": number},
        )

    def _say_once(self, message: str, reason: str) -> None:
        if not self._said_once:
            self._said_once = True
            fields = {"collector": self.name, "reason": reason}
            log.info(message, self.name, reason, extra=fields)
