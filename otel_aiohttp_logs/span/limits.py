"""
How much one span carries: the defaults of the specification's span limits.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_aiohttp_logs.record.safe import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_aiohttp_logs.flat import Plain

MOST_ATTRIBUTES = 128
MOST_EVENTS = 128
MOST_LINKS = 128


def clean(attributes: Mapping[str, Any] | None) -> tuple[dict[str, Plain], int]:
    """Return *attributes* as plain values, and how many the limit left out."""
    if not attributes:
        return {}, 0
    kept = {
        str(key): plain(value)
        for key, value in list(attributes.items())[:MOST_ATTRIBUTES]
    }
    return kept, len(attributes) - len(kept)
