from __future__ import annotations

import json

import pytest

from otel_aiohttp_logs.output.escape import ascii_only, quoted, visible

CONTROLS = [
    *range(0x20),
    *range(0x7F, 0xA0),
    0x2028,
    0x2029,
    0x202A,
    0x202E,
    0x2066,
    0x2069,
]
SURROGATES = [0xD800, 0xDBFF, 0xDC00, 0xDFFF]
READABLE = "plain ~ é ß \xa0 Ελλάδα עברית 日本 🙂 \ue000"


@pytest.mark.parametrize("beside", ["", "é"])
def test_no_control_stays(beside):
    """Each control character is escaped, in ASCII text and beside other text."""
    for code in CONTROLS + SURROGATES:
        text = f"a{chr(code)}b{beside}"

        assert chr(code) not in quoted(text)
        assert chr(code) not in visible(text)
        assert visible(text).startswith("a\\")
        assert visible(text).endswith("b" + beside)


@pytest.mark.parametrize("beside", ["", "é"])
def test_quoted_reads_back(beside):
    """A JSON reader gets the controls back."""
    text = "".join(map(chr, CONTROLS)) + beside + '"\\/'

    assert json.loads(quoted(text)) == text


@pytest.mark.parametrize("code", SURROGATES)
def test_lone_surrogates_are_text(code):
    """A JSON reader gets a lone surrogate as visible text."""
    assert json.loads(quoted(f"a{chr(code)}b")) == f"a\\u{code:04x}b"


@pytest.mark.parametrize("text", [READABLE, READABLE[::-1]])
def test_other_text_stays_readable(text):
    """Text of any script stays as it is."""
    assert quoted(text) == f'"{text}"'
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\r\t", r"a\nb\r\t"),
        ("\x1b[31m\0", r"\x1b[31m\x00"),
        ("\x85\u2028\ud800", r"\x85\u2028\ud800"),
    ],
)
def test_visible(text, expected):
    """Controls are shown the way that Python writes them."""
    assert visible(text) == expected


@pytest.mark.parametrize("text", ["é日本", "🙂 ok"])
def test_ascii_only(text):
    """What isn't ASCII becomes escapes that a JSON reader turns back."""
    line = ascii_only(f'{{"a":"{text}"}}')

    assert line.isascii()
    assert json.loads(line) == {"a": text}
