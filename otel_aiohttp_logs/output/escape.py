r"""
Text in which nothing can forge a line: what moves a cursor or breaks a line is escaped.

That is each C0 and C1 control character (newline, ESC, NUL), DEL, the line and
paragraph separators of Unicode, lone surrogates, and the marks that turn the order of
what stands behind them. Other text, whatever its script, stays readable.
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring

# The last two ranges are the bidirectional overrides. JSON itself lets all of it stand
# but what is below a space.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

# In C where that is compiled in; it quotes, and escapes what JSON forbids.
_quote = encode_basestring


def quoted(text: str) -> str:
    """Return *text* as a JSON string, in quotes."""
    result = _quote(text)
    if text.isascii():
        return result.replace("\x7f", "\\u007f") if "\x7f" in result else result
    return _CONTROL.sub(_json_escape, result) if _CONTROL.search(result) else result


def visible(text: str) -> str:
    r"""Return *text* with control characters shown as ``\n``, ``\x1b``, ``\u2028``."""
    if text.isprintable():
        return text
    return _CONTROL.sub(_visible_escape, text)


def ascii_only(line: str) -> str:
    r"""Return a JSON or console line with what isn't ASCII as ``\uXXXX``."""
    return _NOT_ASCII.sub(_pairs, line)


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    # A lone surrogate as a JSON escape is refused by strict readers: it's shown.
    return f"\\\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def _visible_escape(found: re.Match[str]) -> str:
    short = _SHORT.get(found[0])
    if short is not None:
        return short
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _pairs(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(
        f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)
    )
