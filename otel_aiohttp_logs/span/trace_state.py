"""A ``tracestate`` that is passed on as it came (W3C Trace Context, level 2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opentelemetry.trace import INVALID_SPAN_CONTEXT, TraceState

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView, ValuesView

# Level 2, section 3.3.1.3: "@" may stand anywhere in a key but first.
_MEMBER = re.compile(
    r"[ \t]*([a-z0-9][a-z0-9_\-*/@]{0,255})=([ -+\--<>-~]{0,255}[!-+\--<>-~])[ \t]*"
)
_MOST_MEMBERS = 32
# aiohttp's server answers 400 to a header of over 8190 bytes, name and all.
_MOST_CHARACTERS = 8000
_LARGE = 128
_EMPTY = INVALID_SPAN_CONTEXT.trace_state


def parse_trace_state(headers: list[str]) -> TraceState:
    """
    Return the state in *headers*, empty if they break the grammar.

    The API's own class drops a state with a key twice or a key of level 2; the
    specification wants both passed on.
    """
    members = [m for header in headers for m in header.split(",") if m.strip(" \t")]
    if not members or len(members) > _MOST_MEMBERS:
        return _EMPTY
    pairs = [_MEMBER.fullmatch(member) for member in members]
    if not all(pairs):
        return _EMPTY
    return InboundTraceState(_within_limit([(m[1], m[2]) for m in pairs if m]))


def _within_limit(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return *pairs* without as many as have to go, as section 3.3.1.5 orders it."""
    sizes = [len(key) + len(value) + len("=,") for key, value in pairs]
    spare = sum(sizes) - len(",") - _MOST_CHARACTERS
    large_first = sorted(
        range(len(pairs)), key=lambda i: (sizes[i] - len(",") > _LARGE, i), reverse=True
    )
    gone = set()
    for i in large_first:
        if spare <= 0:
            break
        spare -= sizes[i]
        gone.add(i)
    return [pair for i, pair in enumerate(pairs) if i not in gone]


class InboundTraceState(TraceState):
    """The caller's state: reads like a mapping, is sent as it came."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__()
        self._pairs = pairs
        # Of a key that stands twice, the first is the newest.
        self._first: dict[str, str] = {}
        for key, value in pairs:
            self._first.setdefault(key, value)

    def __contains__(self, item: object) -> bool:
        return item in self._first

    def __getitem__(self, key: str) -> str:
        return self._first[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def keys(self) -> KeysView[str]:
        return self._first.keys()

    def items(self) -> ItemsView[str, str]:
        return self._first.items()

    def values(self) -> ValuesView[str]:
        return self._first.values()

    def to_header(self) -> str:
        return ",".join(f"{key}={value}" for key, value in self._pairs)

    def add(self, key: str, value: str) -> TraceState:
        if key in self:
            return self
        return self.update(key, value)

    def update(self, key: str, value: str) -> TraceState:
        """Return the state with the pair in front, as the specification wants."""
        others = [pair for pair in self._pairs if pair[0] != key]
        if not _MEMBER.fullmatch(f"{key}={value}") or len(others) >= _MOST_MEMBERS:
            return self
        return InboundTraceState([(key, value), *others])

    def delete(self, key: str) -> TraceState:
        return InboundTraceState([pair for pair in self._pairs if pair[0] != key])
