"""Random ids: 128 bits for a trace, 64 for a span, a GUID for a request."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from otel_aiohttp_logs.record.twins import native

if TYPE_CHECKING:
    from collections.abc import Callable

# Ids must not repeat, but need not be secret: a generator of our own, seeded by the
# system, costs a quarter of os.urandom and can't be reseeded by random.seed(1).
_random = random.Random()  # noqa: S311
_bits = _random.getrandbits


def _seed() -> None:
    _random.seed()
    if native:
        native.seed(os.urandom(32))


_seed()
if hasattr(os, "register_at_fork"):
    # Else the children of a pre-forking server would all make the same ids.
    os.register_at_fork(after_in_child=_seed)


def _trace_id() -> int:
    return _bits(128) or 1


def _span_id() -> int:
    return _bits(64) or 1


def _request_id() -> str:
    bits = _bits(128) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


new_trace_id: Callable[[], int] = native.new_trace_id if native else _trace_id
new_span_id: Callable[[], int] = native.new_span_id if native else _span_id
new_request_id: Callable[[], str] = native.new_request_id if native else _request_id
"""Return a random GUID in its text form (RFC 9562, version 4)."""
