"""The hooks of the process: put on with its first application, undone with the last."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from otel_aiohttp_logs.hooks.connections import connection_methods
from otel_aiohttp_logs.hooks.executors import carrying_callback, carrying_submit
from otel_aiohttp_logs.hooks.loop import loop_methods
from otel_aiohttp_logs.hooks.method import ReplacedMethod
from otel_aiohttp_logs.hooks.slow import SlowCallbacks
from otel_aiohttp_logs.hooks.threads import carrying_start

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Mapping, Sequence

# Kept for the life of the process: one that somebody else's replacement stands around
# stays where it is, and is used again by the next application.
_HOOKS: Mapping[str, Sequence[ReplacedMethod | SlowCallbacks]] = {
    "threads": [ReplacedMethod(threading.Thread, "start", carrying_start)],
    "connections": connection_methods(),
    "loop": [SlowCallbacks()],
    "executors": [
        ReplacedMethod(ThreadPoolExecutor, "submit", carrying_submit),
        ReplacedMethod(Future, "add_done_callback", carrying_callback),
    ],
}


class Hooks:
    """Those of *names* that are on; see ``docs/hooks.md``."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._hooks = list(
            itertools.chain(*(_HOOKS[name] for name in _HOOKS if name in names))
        )
        self._loops: dict[asyncio.AbstractEventLoop, list[ReplacedMethod]] = {}

    def start(self) -> None:
        for hook in self._hooks:
            hook.put_on()

    def join(self, loop: asyncio.AbstractEventLoop) -> None:
        """Reach *loop*, too, in which one more application runs."""
        self._loops = {k: v for k, v in self._loops.items() if not k.is_closed()}
        if "loop" in self._names and loop not in self._loops:
            self._loops[loop] = loop_methods(loop)
            for method in self._loops[loop]:
                method.put_on()

    def undo(self) -> None:
        for hook in itertools.chain(self._hooks, *self._loops.values()):
            hook.undo()
