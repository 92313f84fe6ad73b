"""
Checks 1 and 2: each request's trace in Jaeger, and each of its lines in VictoriaLogs.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from stack_check.ask import until
from stack_check.compare import compare_lines, nanoseconds, shape
from stack_check.load import kinds
from stack_check.truth import expected_lines, expected_spans, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stack_check.ask import Fields, StoredSpan, Stores
    from stack_check.load import Request
    from stack_check.report import Report

PATIENCE = 20
AFTER_NS = 1_500_000_000
"""A request's background task logs this long after its answer at most."""
CLOCK_NS = 2_000_000
SERVER_ERROR = 500


async def check_traces(
    report: Report, stores: Stores, requests: Sequence[Request]
) -> dict[str, list[StoredSpan]]:
    """
    Each trace is complete across both services, the parents right, failed ones marked.
    """
    wanted = {request.trace_id: expected_spans(request) for request in requests}
    stored: dict[str, list[StoredSpan]] = {}

    async def complete() -> bool:
        missing = [
            trace_id
            for trace_id, spans in wanted.items()
            if len(stored.get(trace_id, ())) < spans.total()
        ]
        stored.update(await stores.traces(missing))
        return all(len(stored[i]) >= spans.total() for i, spans in wanted.items())

    with report.row(1, "each trace in Jaeger, across both services") as row:
        await until(complete, PATIENCE)
        good = 0
        for request in requests:
            found = Counter(shape(request, stored[request.trace_id]))
            if found == wanted[request.trace_id]:
                good += 1
                continue
            for span, count in (wanted[request.trace_id] - found).items():
                row.wrong.append(f"{request}: {count} missing of {span}")
            for span, count in (found - wanted[request.trace_id]).items():
                row.wrong.append(f"{request}: {count} too many of {span}")
        row.all_of(good, len(requests), "traces complete")
        row.count(f"{sum(spans.total() for spans in wanted.values()):,} spans")
        row.expect(len(requests) == len(wanted), "a trace id came twice")
    with report.row(1, "failed requests are marked, and no others") as row:
        failed = [r for r in requests if r.sent.status == SERVER_ERROR]
        marked = {i for i, spans in stored.items() if any(s.failed for s in spans)}
        row.all_of(
            len(marked & {r.trace_id for r in failed}), len(failed), "marked failed"
        )
        others = marked - {r.trace_id for r in failed}
        row.none_of(f"trace {i} is marked failed and is not" for i in others)
        row.count(kinds(requests))
    return stored


async def check_lines(
    report: Report,
    stores: Stores,
    requests: Sequence[Request],
    spans: dict[str, list[StoredSpan]],
) -> None:
    """
    Each line under its request's trace id and span, none elsewhere, none twice.
    """
    start_ns = min(request.began_ns for request in requests) - CLOCK_NS
    wanted = sum(expected_lines(request).total() for request in requests)
    lines: list[Fields] = []
    ours = {request.trace_id for request in requests}

    async def complete() -> bool:
        await stores.show_at_once()
        lines[:] = await stores.lines("*", start_ns)
        return sum(line.get("trace_id") in ours for line in lines) >= wanted

    with report.row(2, "each line in VictoriaLogs, under its trace id") as row:
        await until(complete, PATIENCE)
        found = compare_lines(requests, lines)
        row.all_of(wanted - len(found.missing), wanted, "lines")
        row.none_of(found.missing)
        row.none_of(found.extra)
        row.count(f"{len(found.extra)} twice or of another request")
        row.none_of(found.elsewhere)
        row.count(f"{len(found.elsewhere)} under another trace")
        row.count(f"{len(lines):,} looked at")
    with report.row(2, "severities, times, order and spans of the lines") as row:
        good = 0
        for request in requests:
            own = [line for line in lines if line.get("trace_id") == request.trace_id]
            ids = {span.span_id for span in spans.get(request.trace_id, ())}
            wrong = list(_wrong_in(request, own, ids))
            row.none_of(wrong)
            good += len(own) if not wrong else 0
        row.all_of(good, wanted, "lines right")


def _wrong_in(request: Request, lines: list[Fields], ids: set[str]) -> Iterator[str]:
    earliest, latest = request.began_ns - CLOCK_NS, request.ended_ns + AFTER_NS
    for line in lines:
        if not earliest <= nanoseconds(line["_time"]) <= latest:
            yield f"{request}: {line['_msg']!r} has the time {line['_time']}"
        if line.get("span_id") not in ids:
            yield f"{request}: {line['_msg']!r} is of no span of its trace"
        if not line.get("request_id"):
            yield f"{request}: {line['_msg']!r} has no request id"
    request_ids = {line.get("request_id") for line in lines}
    if len(request_ids) > 1:
        yield f"{request}: its lines have {len(request_ids)} request ids"
    for service, messages in ordered(request):
        logged = [line["_msg"] for line in lines if line.get("scope.name") == service]
        if logged != messages:
            yield f"{request}: {service} logged {logged}"
