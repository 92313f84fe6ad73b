"""
The compiled twins of a few Python functions, where there are any.

They are built when the package is installed, if there is a compiler then; without one
the Python functions do the same, only slower. Those stay the reference: a compiled
twin does the ordinary, and calls the Python function for whatever is unusual.
``OTEL_AIOHTTP_LOGS_PURE=1`` leaves them out.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_INTERFACE = 11
"""What a function takes; an old build left in a checkout has an old number."""


def _load() -> ModuleType | None:
    if os.environ.get("OTEL_AIOHTTP_LOGS_PURE") == "1":
        return None
    # Without a global lock, importing it would bring that back for the whole process.
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    try:
        from otel_aiohttp_logs._speed import _c  # noqa: PLC0415 - may not be there
    except ImportError:
        return None
    return _c if getattr(_c, "INTERFACE", 0) == _INTERFACE else None


native = _load()
"""The compiled functions, None where the Python ones do it all."""
