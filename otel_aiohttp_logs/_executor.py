"""``run_in_executor`` keeps the request's context, as ``asyncio.to_thread`` does."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


P = ParamSpec("P")
T = TypeVar("T")


class ContextExecutor(ThreadPoolExecutor):
    """A thread pool whose jobs run in the context that they were submitted from."""

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        job = partial(copy_context().run, fn, *args, **kwargs)
        return super().submit(job)


def carry_context(loop: asyncio.AbstractEventLoop) -> None:
    """
    Make ``loop.run_in_executor(None, …)`` carry the context.

    Only where the loop still has no default executor, which only asyncio's own loops
    let one see: an executor of the application's is never replaced.
    """
    if getattr(loop, "_default_executor", loop) is None:
        loop.set_default_executor(ContextExecutor(thread_name_prefix="asyncio"))
