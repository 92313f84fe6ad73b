"""
Where the event loop's thread spends its time, by stage: a sampling profiler.

The system's timer counts the process's CPU, and Python looks at what it was doing when
it next enters a function or turns in a loop: what is compiled counts for its caller.
"""

from __future__ import annotations

import signal
from collections import Counter

INTERVAL = 0.001
OURS = "otel_aiohttp_logs/"


class Stages:
    """Made in the main thread, which it samples between ``start`` and ``stop``."""

    def __init__(self):
        self._counts = Counter()
        signal.signal(signal.SIGPROF, self._sample)

    def start(self):
        self._counts.clear()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def stop(self):
        signal.setitimer(signal.ITIMER_PROF, 0)
        return dict(self._counts)

    def _sample(self, _, frame):
        self._counts[stage_of(frame)] += 1


def stage_of(frame):
    """Return the stage of the innermost frame of ours, or of logging's."""
    is_logging = False
    while frame is not None:
        name = frame.f_code.co_filename
        # Our middleware is below whatever the application does: it waits.
        if OURS in name and frame.f_code.co_name != "telemetry":
            stage = name.rpartition(OURS)[2].partition("/")[0].removesuffix(".py")
            return f"{stage}: {frame.f_code.co_name}"
        is_logging = is_logging or "/logging/" in name
        frame = frame.f_back
    return "logging" if is_logging else "aiohttp and the handler"
