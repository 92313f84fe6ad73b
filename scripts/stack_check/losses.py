"""
What an outage has lost, and what has come twice because of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack_check.compare import nanoseconds
from stack_check.truth import expected_lines, expected_spans, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stack_check.ask import Fields, StoredSpan
    from stack_check.load import Request


def missing_traces(
    requests: Sequence[Request], spans: dict[str, list[StoredSpan]]
) -> list[str]:
    return [
        request.trace_id
        for request in requests
        if len(spans.get(request.trace_id, ())) < expected_spans(request).total()
    ]


def lost_lines(
    requests: Sequence[Request], lines: Sequence[Fields]
) -> list[tuple[Request, int]]:
    """
    Return the requests that miss lines, and how many each.
    """
    stored: dict[str, list[Fields]] = {}
    for line in lines:
        stored.setdefault(line.get("trace_id", ""), []).append(line)
    lost = []
    for request in requests:
        wanted = expected_lines(request)
        wanted.subtract(map(line_of, stored.get(request.trace_id, ())))
        count = sum(left for left in wanted.values() if left > 0)
        if count:
            lost.append((request, count))
    return lost


def lost_count(lost: Sequence[tuple[Request, int]]) -> int:
    return sum(count for _, count in lost)


def lost_spans(
    requests: Sequence[Request], spans: dict[str, list[StoredSpan]]
) -> tuple[int, int]:
    wanted = lost = 0
    for request in requests:
        expected = expected_spans(request).total()
        found = len({span.span_id for span in spans.get(request.trace_id, ())})
        wanted += expected
        lost += max(0, expected - found)
    return lost, wanted


def doubled(
    requests: Sequence[Request], lines: Sequence[Fields], window: range
) -> tuple[int, list[str]]:
    """
    Return how many lines came twice, and those from outside of *window* (nanoseconds).

    A batch whose answer was lost with the connection is sent again: OTLP wants it so.
    """
    ours = {request.trace_id for request in requests}
    seen: set[tuple[str, ...]] = set()
    twice, unexplained = 0, []
    for line in lines:
        if line.get("trace_id") not in ours:
            continue
        key = (line["trace_id"], line["_time"], line["_msg"], line.get("span_id", ""))
        if key in seen:
            twice += 1
            if nanoseconds(line["_time"]) not in window:
                unexplained.append(f"{line['_msg']!r} of {line['_time']} came twice")
        seen.add(key)
    return twice, unexplained


def doubled_spans(spans: dict[str, list[StoredSpan]]) -> int:
    return sum(len(own) - len({s.span_id for s in own}) for own in spans.values())
