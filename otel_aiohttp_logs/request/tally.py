"""What went otherwise than it should, counted for ``stats()`` and said once."""

from __future__ import annotations

import logging

_log = logging.getLogger("otel_aiohttp_logs")


class Tally:
    """Of the whole process, since its start."""

    def __init__(self) -> None:
        self.request_ids_replaced = 0
        self.failures = 0
        self._is_said = False

    def started(self) -> None:
        """Say the next failure: an application has started."""
        self._is_said = False

    def failed(self) -> None:
        """Count an error of ours that is being handled; log the first since a start."""
        self.failures += 1
        if not self._is_said:
            self._is_said = True
            _log.warning("request_telemetry_failed", exc_info=True)
