"""What a Collector answers, as far as we need to understand it."""

from __future__ import annotations

from otel_aiohttp_logs.export.wire import fields


def rejected(response: bytes) -> tuple[int, str]:
    """
    Return how many records of a request were refused, and the reason given.

    That's the ``partial_success`` of an answer with status 200. What isn't such an
    answer says nothing, so it means that none was refused.
    """
    count, reason = 0, ""
    try:
        for number, content in fields(response):
            if number == 1 and isinstance(content, bytes):
                count, reason = _count_and_text(content)
    except ValueError:
        return 0, ""
    return count, reason


def reason_given(response: bytes) -> str:
    """Return the message of a ``google.rpc.Status``, which other answers consist of."""
    try:
        for number, content in fields(response):
            if number == 2 and isinstance(content, bytes):
                return content.decode(errors="replace")
    except ValueError:
        pass
    return ""


def _count_and_text(message: bytes) -> tuple[int, str]:
    count, text = 0, ""
    for number, content in fields(message):
        if number == 1 and isinstance(content, int):
            # An int64: the upper half of the range is negative.
            count = content if content < 1 << 63 else 0
        elif number == 2 and isinstance(content, bytes):
            text = content.decode(errors="replace")
    return count, text
