"""Numbers, texts and moments in a JSON line are written in C as Python writes them."""

from __future__ import annotations

import json
import logging
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_aiohttp_logs.output.json_lines import JSONFormatter
from otel_aiohttp_logs.record.said import said
from otel_aiohttp_logs.record.twins import make_record, native

pytestmark = pytest.mark.skipif(native is None, reason="nothing is compiled")

often = settings(max_examples=400, deadline=None, database=None)
python = JSONFormatter()

bits = st.integers(0, 2**64 - 1).map(lambda n: struct.unpack("d", n.to_bytes(8, "big")))
decimals = st.builds(lambda n, d: n / 10**d, st.integers(0, 10**17), st.integers(0, 9))
numbers = st.one_of(
    decimals,
    decimals.map(lambda number: -number),
    bits.map(lambda one: one[0]),
    st.sampled_from((0.0, -0.0, 1e-4, 9e-05, 1e9, 999999999.999999, 5e-324, 1e22)),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.integers(-(10**3), 10**3),
)


def lines(**fields):
    """Return the line of a record in both ways, from its first field on."""
    record = make_record("parts", logging.INFO, "a.py", 7, "text", (), None)
    vars(record).update(fields)
    return native.json_line(record, said(record)), python._line(record, said(record))


@given(number=numbers)
@often
def test_numbers(number):
    """Each number is written as ``repr`` does, which is the shortest form of it."""
    compiled, plain = lines(number=number)

    assert compiled == plain


@given(
    before=st.integers(0, 40),
    odd=st.sampled_from('"\\\n\x00\x1f\x7f\x80\xa0é\u2028\u2066😀 !#[]~'),
    after=st.integers(0, 40),
)
@often
def test_places_in_a_text(before, odd, after):
    """Wherever in a text something stands that is escaped, it is."""
    text = "a" * before + odd + "b" * after
    compiled, plain = lines(text=text)

    assert compiled == plain
    assert json.loads(compiled)["text"] == text


def test_moments_in_turn():
    """A line has its own second, also if the one before it was written in another."""
    moments = (1e9, 1e9 + 0.5, 2e9, 1e9 + 0.5, 1e9 - 1e-6, 1e9)
    written = []
    for moment in moments:
        record = make_record("parts", logging.INFO, "a.py", 7, "text", (), None)
        record.created = moment
        written.append(native.json_line(record, said(record)))
        assert written[-1] == python._line(record, said(record))

    assert written[1] == written[3]
    assert len(set(written)) == 4
