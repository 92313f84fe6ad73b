"""How much memory something holds on to, told apart from what other threads do."""

from __future__ import annotations

import gc
import tracemalloc


def least_growth(work) -> int:
    """Return by how many bytes *work* made the memory grow: the least of some runs."""
    growths = []
    tracemalloc.start()
    try:
        work()
        for _ in range(6):
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            work()
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            growths.append(after - before)
    finally:
        tracemalloc.stop()
    return min(growths)
