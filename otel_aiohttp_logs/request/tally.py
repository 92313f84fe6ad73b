"""What went otherwise than it should, counted for ``stats()`` and said once."""

from __future__ import annotations

import logging

_log = logging.getLogger("otel_aiohttp_logs")


class Tally:
    """Of the whole process, since its start."""

    def __init__(self) -> None:
        self.request_ids_replaced = 0
        self.failures = 0

    def failed(self) -> None:
        """Count an error of ours that is being handled, and log the first."""
        self.failures += 1
        if self.failures == 1:
            _log.warning("request_telemetry_failed", exc_info=True)
