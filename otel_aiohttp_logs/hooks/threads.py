"""
A thread that is started in a request runs in a copy of that request's context.

Those that serve everybody don't: the workers of a pool, the thread of a
``QueueListener``, and others that are started once, by whoever comes first.
"""

from __future__ import annotations

from contextvars import copy_context
from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach, get_current

from otel_aiohttp_logs.scope.request import REQUEST

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from contextvars import Context as Variables

    from otel_aiohttp_logs.hooks.method import Switch

SERVE_EVERYBODY = (
    "concurrent.futures.",
    "logging.handlers",
    "multiprocessing.",
    "opentelemetry.",
    "otel_aiohttp_logs.",
)
"""Modules whose threads work for whoever comes, and not for who started them."""

# Not run(): the excepthook of a thread is called after that, and logs, too.
_INNER = "_bootstrap_inner"


def carrying_start(start: Callable[..., None], switch: Switch) -> Callable[..., None]:
    """Return ``Thread.start`` that lets the thread inherit the request's context."""

    @wraps(start)
    def start_thread(thread: threading.Thread, *args: Any, **kwargs: Any) -> None:
        if REQUEST not in get_current() or not switch.on:
            return start(thread, *args, **kwargs)
        variables = copy_context()
        if _serves_everybody(thread):
            # Where threads inherit the context anyway, by gevent or a flag of Python.
            variables.run(attach, Context())
            return variables.run(start, thread, *args, **kwargs)
        _inherit(thread, variables)
        try:
            return start(thread, *args, **kwargs)
        except BaseException:
            vars(thread).pop(_INNER, None)
            raise

    return start_thread


def _inherit(thread: threading.Thread, variables: Variables) -> None:
    inner = getattr(thread, _INNER, None)
    if inner is None:  # another Python's
        return

    def run_in_request() -> None:
        # It refers to the thread, which would be its own owner.
        vars(thread).pop(_INNER, None)
        variables.run(inner)

    vars(thread)[_INNER] = run_in_request
    # Python 3.14 has a context for run(), its own or the caller's by a flag.
    if vars(thread).get("_context", thread) is None:
        vars(thread)["_context"] = variables.copy()


def _serves_everybody(thread: threading.Thread) -> bool:
    work = getattr(thread, "_target", None) or type(thread).run
    return str(getattr(work, "__module__", "")).startswith(SERVE_EVERYBODY)
