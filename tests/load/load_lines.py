"""Lines as they arrived: the program's stdout, and the Collector's log records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from load_kind import IDENTITY, NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from export.collector import Received

IDS = ("trace_id", "span_id", "request_id")


@dataclass(frozen=True)
class Line:
    logger: str
    text: str
    identity: str | None
    """Whose it says it is: a number, ``none``, or None if it doesn't say."""
    trace_id: str | None
    span_id: str | None
    request_id: str | None
    fields: Mapping[str, Any]

    @property
    def has_ids(self) -> bool:
        return bool(self.trace_id or self.span_id or self.request_id)

    @property
    def whole(self) -> tuple[object, ...]:
        """All that must be the same wherever the line arrived."""
        return (self.logger, self.text, self.trace_id, self.span_id, self.request_id)


def lines_of_stdout(output: str) -> list[Line]:
    return [_from_json(json.loads(line)) for line in output.splitlines()]


def lines_of_collector(logs: Iterable[Received]) -> list[Line]:
    return [_from_record(record) for record in logs]


def _from_json(shown: dict[str, Any]) -> Line:
    text, raised = shown["message"], shown.get("exception", {}).get("message", "")
    path = shown.get("url.path", "")
    return Line(
        shown["logger"],
        text,
        _identity(text, raised, path),
        *(shown.get(name) for name in IDS),
        shown,
    )


def _from_record(record: Received) -> Line:
    fields = record.attributes
    text = str(record.body)
    raised, path = fields.get("exception.message", ""), fields.get("url.path", "")
    return Line(
        record.scope,
        text,
        _identity(text, raised, path),
        record.trace_id or None,
        record.span_id or None,
        fields.get("request_id"),
        fields,
    )


def _identity(*texts: str) -> str | None:
    """Return the number in *texts*; a line that is nobody's may name others."""
    found = [name for text in texts for name in IDENTITY.findall(text)]
    if NONE in found:
        return NONE
    return found[0] if found else None
