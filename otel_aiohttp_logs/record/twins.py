"""
The compiled twins of this stage and of the lines, told what they work with.

``native`` is None where there are none, or where they make of a record something else
than this version of Python does.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timezone
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace.propagation import _SPAN_KEY

from otel_aiohttp_logs import _speed
from otel_aiohttp_logs.flat import FlatLog
from otel_aiohttp_logs.record import (
    access,
    exceptions,
    fields,
    flatten,
    forms,
    safe,
    stamp,
)
from otel_aiohttp_logs.scope.fields import BOUND, Bound
from otel_aiohttp_logs.scope.request import REQUEST, RequestScope

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from otel_aiohttp_logs.flat import Plain
    from otel_aiohttp_logs.record.stamping import RecordFactory

_SUPPRESSED = otel_context._SUPPRESS_INSTRUMENTATION_KEY  # noqa: SLF001 (no public one)
_ODD_NAMES = frozenset({"otel_aiohttp_logs.export", *access.LOGGERS})


def _split(path: str) -> tuple[str, str]:
    """Return file and module of *path*, as ``LogRecord.__init__`` does."""
    name = os.path.basename(path)  # noqa: PTH119 - what logging asks
    return name, os.path.splitext(name)[0]  # noqa: PTH122 - what logging asks


def _name_of(key: str) -> str:
    return fields.prepared_name(key)[0]


def _builtin(function: object, module: str) -> object:
    """Return *function* if it's Python's own, not what somebody put in its place."""
    own = type(function) is BuiltinFunctionType and function.__module__ == module
    return function if own else None


def _of_threading(function: object) -> bool:
    return getattr(function, "__globals__", None) is vars(threading)


def _things(context_var: object) -> dict[str, Any]:
    current, name = threading.current_thread, vars(threading.Thread)["name"]
    return {
        "BOUND": Bound,
        "BOUND_VAR": BOUND,
        "CLOCK": _builtin(time.time, "time"),
        "CLOCK_NS": _builtin(time.time_ns, "time"),
        "CONTEXT_VAR": context_var,
        "CURRENT_THREAD": current if _of_threading(current) else None,
        "EVENT": access.EventRecord,
        "EVENT_NAME": access.EVENT_NAME,
        "EXCEPTION": exceptions.exception,
        "EXCEPTION_NAMES": exceptions.EXCEPTION_NAMES,
        "FORM_NUMBER": forms.form_number,
        "FLAT_LOG": FlatLog,
        "GETPID": _builtin(os.getpid, "posix"),
        "GET_IDENT": _builtin(threading.get_ident, "_thread"),
        "GET_LEVEL_NAME": logging.getLevelName,
        "ID_NAMES": stamp.ID_NAMES,
        "IDS": stamp.Ids,
        "IDS_IN": stamp.ids_in,
        "KNOWN_FORMS": {},
        "KNOWN_NAMES": {},
        "LEVEL_NAMES": logging._levelToName,  # noqa: SLF001 - changed in place only
        "LOGGER": logging.Logger,
        "LOGGING": vars(logging),
        "MAPPING": Mapping,
        "NAME_OF": _name_of,
        "NOT_EXTRA": fields.NO_EXTRA,
        "NO_IDS": stamp.NO_IDS,
        "NO_NAME": "",
        "NO_NUMBERS": (0, 0, 0),
        "NUMBERS_OF": flatten.numbers_of,
        "ODD_NAMES": _ODD_NAMES,
        "OS": vars(os),
        "OWN_ROOTS": fields.OWN_ROOTS,
        "PATHS": {},
        "PLAIN_IN": forms.plain_in,
        "RECORD": stamp.StampedRecord,
        "REQUEST": REQUEST,
        "SAID": stamp.Said,
        "SCOPE": RequestScope,
        "SPAN": _SPAN_KEY,
        "SPLIT": _split,
        "START": logging._startTime,  # type: ignore[attr-defined]  # noqa: SLF001
        "SUPPRESSED": _SUPPRESSED,
        "SYS": vars(sys),
        "TEMPLATE": dict.fromkeys(vars(logging.LogRecord("", 0, "", 0, "", (), None))),
        "THREADS": threading._active,  # type: ignore[attr-defined]  # noqa: SLF001 - changed in place only
        "THREAD_NAME": name if _of_threading(name.fget) else None,
        "THREADING": vars(threading),
        "TIME": vars(time),
        "UTC": timezone.utc,
    }


_SAMPLES: tuple[tuple[Any, ...], ...] = (
    ("a.b", logging.INFO, "/a/b.py", 7, "%s", (1,), None, "f", "stack"),
    ("a", 15, "", 0, "%(x)s", ({"x": 1},), (None, None, None)),
    ("a", logging.ERROR, "b.tar.gz", 1, None, (), None, None),
)
_CLOCK = ("created", "msecs", "relativeCreated")


def _makes_the_same(compiled: ModuleType) -> bool:
    """Tell whether its records are those of this version of Python."""
    for sample in _SAMPLES:
        ours = vars(compiled.make_record(*sample))
        theirs = vars(logging.LogRecord(*sample))
        if list(ours) != list(theirs):
            return False
        if any(ours[key] != theirs[key] for key in theirs if key not in _CLOCK):
            return False
        if any(abs(ours[key] - theirs[key]) > 5000 for key in _CLOCK):
            return False
        if abs(ours["created"] % 1 * 1000 - ours["msecs"]) > 1:
            return False
    return True


def _settled() -> ModuleType | None:
    compiled = _speed.native
    runtime = otel_context._RUNTIME_CONTEXT  # noqa: SLF001 (no public one)
    if compiled is None or type(runtime) is not ContextVarsRuntimeContext:
        return None
    try:
        compiled.configure(**_things(runtime._current_context))  # noqa: SLF001 (as above)
        return compiled if _makes_the_same(compiled) else None
    except (AttributeError, TypeError):  # other versions of Python or of the API
        return None


native = _settled()

make_record: RecordFactory = native.make_record if native else stamp.StampedRecord
"""Return a stamped record, as ``StampedRecord`` does."""
make_event: Callable[..., access.EventRecord] = (
    native.make_event if native else access.EventRecord
)
"""Return the record of a request's event, as ``EventRecord`` does."""
plain: Callable[[object], Plain] = native.plain if native else safe.plain
"""Return a plain copy, as ``safe.plain`` does."""
plain_within: Callable[[object, int, int, int], Plain] = (
    native.plain if native else forms.plain_within
)
"""Return a plain copy within some limits, as ``forms.plain_within`` does."""
