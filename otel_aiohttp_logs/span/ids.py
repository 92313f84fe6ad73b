"""Random ids: 128 bits for a trace, 64 for a span, a GUID for a request."""

from __future__ import annotations

import os
import random

from otel_aiohttp_logs.record.twins import native

# Ids must not repeat, but need not be secret: a generator of our own, seeded by the
# system, costs a quarter of os.urandom and can't be reseeded by random.seed(1).
_random = random.Random()  # noqa: S311
_bits = _random.getrandbits

if hasattr(os, "register_at_fork"):
    # Else the children of a pre-forking server would all make the same ids.
    os.register_at_fork(after_in_child=_random.seed)


def new_trace_id() -> int:
    return _bits(128) or 1


def new_span_id() -> int:
    return _bits(64) or 1


def new_request_id() -> str:
    """Return a random GUID in its text form (RFC 9562, version 4)."""
    if native:
        return native.guid(_bits(128))  # type: ignore[no-any-return]  # a str
    bits = _bits(128) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
