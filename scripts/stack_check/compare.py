"""
What the stores hold, held against what the requests must have left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from stack_check.truth import Line, Span, expected_lines, line_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stack_check.ask import Fields, StoredSpan
    from stack_check.load import Request

BILLION = 10**9


@dataclass
class Comparison:
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    """Lines that came twice, or that no handler of this request logs."""
    elsewhere: list[str] = field(default_factory=list)
    """Lines with a request's number under another trace, or under none."""


def compare_lines(requests: Sequence[Request], lines: Iterable[Fields]) -> Comparison:
    by_trace: dict[str, Counter[Line]] = defaultdict(Counter)
    trace_of = {request.sent.number: request.trace_id for request in requests}
    found = Comparison()
    for fields in lines:
        trace_id = fields.get("trace_id", "")
        by_trace[trace_id][line_of(fields)] += 1
        number = number_of(fields)
        if number in trace_of and trace_of[number] != trace_id:
            found.elsewhere.append(
                f"{fields['_msg']!r} of {number} is under {trace_id}"
            )
    for request in requests:
        wanted, stored = expected_lines(request), by_trace[request.trace_id]
        found.missing += [f"{request}: lost {x}" for x in (wanted - stored).elements()]
        found.extra += [f"{request}: extra {x}" for x in (stored - wanted).elements()]
    return found


def shape(request: Request, spans: Sequence[StoredSpan]) -> Iterator[Span]:
    """
    Return *spans* as the truth words them, by what their parents are.
    """
    names = {request.sent.parent_id: "caller"}
    names.update({span.span_id: f"{span.service} {span.kind}" for span in spans})
    for span in spans:
        status = span.attributes.get("http.response.status_code")
        yield Span(
            span.service,
            span.kind,
            span.name,
            names.get(span.parent_id, f"unknown {span.parent_id}"),
            int(status) if status else None,
            span.failed,
        )


def nanoseconds(text: str) -> int:
    """
    Return the nanoseconds since 1970 of an RFC 3339 time in UTC.
    """
    whole, _, fraction = text.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * BILLION + int(fraction.ljust(9, "0")[:9] or 0)
