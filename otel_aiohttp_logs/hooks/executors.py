"""
Each job of a ``ThreadPoolExecutor`` runs in the context that it was submitted from.

That is also what ``loop.run_in_executor`` and ``executor.map`` use. The worker thread
belongs to nobody between two jobs. There the callbacks of a job's future are called,
which run in the context that they were added from.
"""

from __future__ import annotations

import sys
from contextvars import Context, copy_context
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from otel_aiohttp_logs.scope.request import REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_aiohttp_logs.hooks.method import Switch


def carrying_submit(submit: Callable[..., Any], switch: Switch) -> Callable[..., Any]:
    """Return ``ThreadPoolExecutor.submit`` that lets a job keep the request."""

    @wraps(submit)
    def submit_job(executor: object, /, *args: Any, **kwargs: Any) -> Any:
        if (
            REQUEST in get_current()
            and switch.on
            and args
            and not _has_context(args[0])
            and not _leaves_the_interpreter(executor)
        ):
            args = (partial(copy_context().run, args[0]), *args[1:])
        return submit(executor, *args, **kwargs)

    return submit_job


def carrying_callback(add: Callable[..., None], switch: Switch) -> Callable[..., None]:
    """Return ``Future.add_done_callback`` that lets a callback keep the request."""

    @wraps(add)
    def add_done_callback(future: object, /, *args: Any, **kwargs: Any) -> None:
        # asyncio's own only wakes its loop: each job of run_in_executor has one.
        if (
            REQUEST in get_current()
            and switch.on
            and args
            and getattr(args[0], "__module__", "") != "asyncio.futures"
        ):
            args = (partial(copy_context().run, args[0]), *args[1:])
        add(future, *args, **kwargs)

    return add_done_callback


def _has_context(job: object) -> bool:
    """Tell whether *job* brings its context, as those of ``asyncio.to_thread`` do."""
    run = job.func if isinstance(job, partial) else job
    return isinstance(getattr(run, "__self__", None), Context)


def _leaves_the_interpreter(executor: object) -> bool:
    # Python 3.14 has one that is a ThreadPoolExecutor, and takes only what it can copy.
    module = sys.modules.get("concurrent.futures.interpreter")
    return module is not None and isinstance(executor, module.InterpreterPoolExecutor)
