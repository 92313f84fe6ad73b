"""
Who runs on which core: the service on one of its own, all else on the others.

So the generator of the load, the receiver and the service don't take a core from each
other, and every variant of the service sees the same.
"""

from __future__ import annotations

import os
from pathlib import Path

ALL = os.sched_getaffinity(0)


def settle():
    """Leave one core to the services. What this process starts stays where it is."""
    if len(ALL) > 1:
        os.sched_setaffinity(0, ALL - {max(ALL)})  # interrupts are often the first's


def let_start(pid):
    """Let a service that has just begun use all cores while it imports."""
    os.sched_setaffinity(pid, ALL)


def move_service(pid):
    """Move all threads of a service to the core that was left to it, if one was."""
    left = ALL - os.sched_getaffinity(0)
    if left:
        os.sched_setaffinity(pid, left)  # and with it, the threads that it'll start
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), left)
