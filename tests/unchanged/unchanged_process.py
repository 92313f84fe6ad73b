"""All of a process that a library could leave changed, as far as Python tells."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import warnings

# Whatever can be called in them, and in their classes, is compared one by one.
WATCHED = (
    "aiohttp",
    "asyncio",
    "concurrent",
    "contextvars",
    "logging",
    "opentelemetry",
    "threading",
    "traceback",
    "warnings",
)


def state():
    """Return what there is now, by name."""
    loop = asyncio.get_running_loop()
    return {
        **_callables(),
        **_loggers(),
        "record factory": logging.getLogRecordFactory(),
        "logger class": logging.getLoggerClass(),
        "last resort": logging.lastResort,
        "disabled levels": logging.root.manager.disable,
        "excepthooks": (sys.excepthook, threading.excepthook, sys.unraisablehook),
        "showwarning": warnings.showwarning,
        "tracing": (sys.gettrace(), sys.getprofile(), threading._trace_hook),
        "gc callbacks": tuple(gc.callbacks),
        "threads": sorted(t.name for t in threading.enumerate()),
        "loop": tuple(vars(loop).keys() - {"_default_executor"}),
        "exception handler": loop.get_exception_handler(),
        "task factory": loop.get_task_factory(),
        "loop's settings": (loop.get_debug(), loop.slow_callback_duration),
        "environment": {k: v for k, v in os.environ.items() if not _is_pytests(k)},
        "streams": (sys.stdout, sys.stderr),
    }


def difference(before, now):
    """Return the names of what has changed."""
    return {name for name, value in before.items() if now.get(name) != value} | {
        # A logger that was made since, and that nobody has configured, is none.
        name
        for name in now.keys() - before.keys()
        if name.startswith("logger ") and now[name] != _UNCONFIGURED
    }


def _is_pytests(name):
    return name.startswith("PYTEST_")


_UNCONFIGURED = (logging.NOTSET, (), (), True, False)


def _loggers():
    loggers = {"root": logging.root, **logging.root.manager.loggerDict}
    return {
        f"logger {name}": (
            logger.level,
            tuple(logger.handlers),
            tuple(logger.filters),
            logger.propagate,
            logger.disabled,
        )
        for name, logger in loggers.items()
        if isinstance(logger, logging.Logger)
    }


def _callables():
    found = {}
    for module, content in list(sys.modules.items()):
        if module.partition(".")[0] not in WATCHED:
            continue
        for name, value in list(vars(content).items()):
            if callable(value):
                found[f"{module}.{name}"] = value
            if isinstance(value, type):
                for inner, part in vars(value).items():
                    if callable(part) or isinstance(part, (property, staticmethod)):
                        found[f"{module}.{name}.{inner}"] = part
    return found
