"""
Judges each line by what it says of itself, and each request by its lines and spans.

What is true comes from elsewhere than from the lines: the caller knows its trace id and
the request id that came back, and the SERVER span with the request's number in its path
has the ids.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from load_kind import BOUND, LATE, NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from export.collector import Received
    from load_caller import Call
    from load_lines import Line

RIGHT, WRONG, MISSING, LEAKED = "right", "wrong", "missing", "leaked"
VERDICTS = (RIGHT, WRONG, MISSING, LEAKED)
NOBODY, UNKNOWN = "(nobody's)", "(not known)"
# Of opentelemetry-proto: a span's kind and its status.
SERVER, ERROR = 2, 2


class Truth:
    """What is known of the requests without looking at any line."""

    def __init__(self, calls: Iterable[Call], spans: Sequence[Received]) -> None:
        self.calls = {call.number: call for call in calls}
        self.spans = {(span.trace_id, span.span_id) for span in spans}
        self.servers: dict[str, list[Received]] = defaultdict(list)
        for span in spans:
            if span.proto.kind == SERVER:
                path = str(span.attributes.get("url.path", ""))
                self.servers[path.strip("~").rpartition("~")[2]].append(span)
        self._request_ids = {
            span.attributes.get("request_id"): number
            for number, spans in self.servers.items()
            for span in spans
        }
        for call in self.calls.values():
            if call.request_id is not None:
                self._request_ids.setdefault(call.request_id, call.number)

    def owner_of(self, line: Line) -> str | None:
        """Return the number of the request whose id is on *line*."""
        return self._request_ids.get(line.request_id)

    def ids_of(self, number: str) -> tuple[str | None, str | None]:
        """Return (trace id, request id) of a request; the former may not exist."""
        for span in self.servers.get(number, ()):
            return span.trace_id, span.attributes.get("request_id")
        return None, self.calls[number].request_id


def judge(line: Line, truth: Truth) -> tuple[str, str]:
    """Return the kind of request that *line* belongs to, and how right its ids are."""
    number = line.identity
    if number == NONE:
        return NOBODY, LEAKED if line.has_ids else RIGHT
    if number is None:
        # Such as "Missing return statement": only its ids can say whose it is.
        number = truth.owner_of(line)
        if number is None:
            return UNKNOWN, WRONG if line.has_ids else MISSING
    kind = truth.calls[number].kind
    if not line.request_id or (kind.span and not line.trace_id):
        return kind.name, MISSING
    return kind.name, RIGHT if _is_right(line, number, truth) else WRONG


def _is_right(line: Line, number: str, truth: Truth) -> bool:
    trace_id, request_id = truth.ids_of(number)
    spans_own = line.trace_id is None or (line.trace_id, line.span_id) in truth.spans
    late = LATE in line.text and line.logger.startswith("load")
    return (
        line.trace_id == trace_id
        and line.request_id == request_id
        and spans_own
        and bool(line.fields.get("request.ended", False)) == late
        and _has_its_message(line)
        and _has_what_was_bound(line, truth.calls[number])
    )


def _has_its_message(line: Line) -> bool:
    """Tell whether a line of a message has its number, and no other line has one."""
    before, _, after = line.text.partition(" message ")
    shown = line.fields.get("websocket.message")
    return shown == (int(after.split()[0]) if after and "~" in before else None)


def _has_what_was_bound(line: Line, call: Call) -> bool:
    """Tell whether a line has the bound field where it should, and nowhere else."""
    has_it = call.kind.binds if line.logger == "aiohttp.access" else BOUND in line.text
    return line.fields.get("order") == (call.number if has_it else None)


def wrong_numbers_of_lines(lines: Iterable[Line], truth: Truth) -> list[str]:
    """Return what is wrong with how many lines of which sort each request has."""
    counted: Counter[tuple[str, str]] = Counter()
    for line in lines:
        number = line.identity or truth.owner_of(line)
        if number is not None and number != NONE:
            counted[number, _sort(line)] += 1
    wrong = []
    for number, call in truth.calls.items():
        kind = call.kind
        wanted = {"own": kind.lines, "access": 1, "others'": kind.others}
        for sort, expected in wanted.items():
            found = counted[number, sort]
            if found != expected:
                wrong.append(f"{kind.name}: {found} {sort} lines, not {expected}")
    return wrong


def _sort(line: Line) -> str:
    if line.logger == "aiohttp.access":
        return "access"
    return "own" if line.logger.startswith("load") else "others'"


def wrong_answers(truth: Truth) -> list[str]:
    """Return what is wrong with what the callers got: status, and the id's header."""
    return [
        f"{call.kind.name}: answered {call.status} with id {call.request_id!r}"
        for call in truth.calls.values()
        if call.status is not None
        and (call.status != call.kind.status or call.request_id is None)
    ]


def wrong_spans(truth: Truth) -> list[str]:
    """Return what is wrong with the SERVER spans of the requests."""
    wrong = [
        f"a SERVER span of no request: {number!r}"
        for number in truth.servers.keys() - truth.calls.keys()
    ]
    for number, call in truth.calls.items():
        spans = truth.servers.get(number, [])
        if len(spans) != int(call.kind.span):
            wrong.append(f"{call.kind.name}: {len(spans)} SERVER spans")
        wrong += [
            f"{call.kind.name}: {name} {shown!r}, not {expected!r}"
            for span in spans
            for name, shown, expected in _facts(call, span)
            if shown != expected
        ]
    return wrong


def _facts(call: Call, span: Received) -> list[tuple[str, object, object]]:
    shown = span.attributes
    kind, failed = call.kind, span.proto.status.code == ERROR
    facts = [
        ("status", shown.get("http.response.status_code"), kind.status),
        ("error", shown.get("error.type"), kind.error),
        ("server error", failed, kind.is_server_error),
    ]
    if call.trace_id is not None:
        facts.append(("trace id", span.trace_id, call.trace_id))
    if call.request_id is not None:
        facts.append(("request id", shown.get("request_id"), call.request_id))
    return facts
