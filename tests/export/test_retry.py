"""When a batch is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import islice

import pytest

from otel_aiohttp_logs.export.retry import FIRST, MAX_RETRY_AFTER, backoff, retry_after


@pytest.mark.parametrize("longest", [2.0, 5.0, 30.0])
def test_backoff(longest):
    """Pauses double up to a bound, and half of each is random."""
    expected = FIRST
    for wait in islice(backoff(longest), 50):
        assert expected / 2 <= wait <= expected
        expected = min(expected * 2, longest)
    assert expected == longest
    assert len(set(islice(backoff(longest), 50))) == 50


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        (" 7 ", 7),
        ("60", 60),
        ("61", MAX_RETRY_AFTER),
        ("9" * 500, MAX_RETRY_AFTER),
        ("-5", 0),
        ("soon", 0),
        ("1.5", 0),
        ("²", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2999 07:28:00 GMT", MAX_RETRY_AFTER),
        ("Wed, 21 Oct 2999 07:28:00 -0000", MAX_RETRY_AFTER),
        ("Wed, 99 Oct 2999 07:28:00 GMT", 0),
        ("Mon, 01 Jan 0000 00:00:00 -9999", 0),
    ],
)
def test_retry_after(header, seconds):
    """A number of seconds or a date, up to a minute; anything else says nothing."""
    assert retry_after(header) == seconds


def test_retry_after_a_date():
    """A date means the seconds until then."""
    soon = datetime.now(timezone.utc) + timedelta(seconds=20)

    assert 17 < retry_after(format_datetime(soon, usegmt=True)) <= 20
