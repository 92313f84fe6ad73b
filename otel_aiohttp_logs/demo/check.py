"""
Were all lines of a request received, and is none of them another's?

The truth does not come from trace ids: each line has its request's number in a field.
From that follows the user, whom only the shop binds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from otel_aiohttp_logs.demo.receiver import Trace
from otel_aiohttp_logs.demo.scenarios import NUMBER_FIELDS, SERVICES, user_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from otel_aiohttp_logs.demo.caller import Sent
    from otel_aiohttp_logs.demo.otlp import Line
    from otel_aiohttp_logs.demo.receiver import Received

SERVER = 2
INTERNAL = 1
ACCESS = "aiohttp.access"
STEP = "step"
USER = "user_id"


def problems(received: Received, sent: Iterable[Sent]) -> Mapping[str, list[str]]:
    """Return, by trace id, what is wrong with each request of *sent*, if anything."""
    by_number = defaultdict(list)
    for line in _all_lines(received):
        by_number[number_of(line)].append(line)
    found = {}
    for request in sent:
        trace = received.traces.get(request.trace_id, Trace())
        wrong = [
            *_wrong_lines(request, trace),
            *_elsewhere(request, by_number[request.number]),
            *_wrong_events(request, trace),
            *_wrong_spans(request, trace),
            *_wrong_ids(trace),
            *_wrong_steps(request, trace),
            *_wrong_users(request, trace),
        ]
        if wrong:
            found[request.trace_id] = [f"{_name(request)}: {text}" for text in wrong]
    return found


def number_of(line: Line) -> int | None:
    """Return the number of the request that logged *line*, None for aiohttp's own."""
    if line.logger in SERVICES or STEP in line.attributes:
        for name in NUMBER_FIELDS:
            number = line.attributes.get(name)
            if isinstance(number, int):
                return number
    return None


def _all_lines(received: Received) -> Iterator[Line]:
    yield from received.stray
    for trace in received.traces.values():
        yield from trace.lines


def _wrong_lines(request: Sent, trace: Trace) -> Iterator[str]:
    own = [line for line in trace.lines if line.logger in SERVICES]
    logged = Counter((line.service, line.body) for line in own)
    expected = Counter(request.scenario.lines)
    for service, message in (expected - logged).elements():
        yield f'the line "{message}" of {service} is missing'
    for service, message in (logged - expected).elements():
        yield f'the line "{message}" of {service} is one too many'
    for line in own:
        if number_of(line) != request.number:
            yield f'the line "{line.body}" is of request {number_of(line)}'


def _elsewhere(request: Sent, lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        if line.trace_id != request.trace_id:
            where = f"trace {line.trace_id}" if line.trace_id else "no trace"
            yield f'its line "{line.body}" of {line.service} is under {where}'


def _wrong_events(request: Sent, trace: Trace) -> Iterator[str]:
    lines = [line for line in trace.lines if line.logger == ACCESS]
    for line in lines:
        if f"/{request.number}" not in line.body:
            yield f"it has another request's event: {line.body}"
    expected = Counter(request.scenario.services)
    if Counter(line.service for line in lines) != expected:
        yield f"{len(lines)} events, not one for each of {list(expected)}"


def _wrong_spans(request: Sent, trace: Trace) -> Iterator[str]:
    servers = [span for span in trace.spans if span.kind == SERVER]
    ids = {span.span_id for span in trace.spans}
    expected = Counter(request.scenario.services)
    if Counter(span.service for span in servers) != expected:
        yield f"{len(servers)} server spans, not one for each of {list(expected)}"
    for span in trace.spans:
        if span.parent_id not in ids and span.parent_id != request.parent_id:
            yield f'the parent of span "{span.name}" of {span.service} is missing'
    for line in trace.lines:
        if line.span_id not in ids:
            yield f'the span of line "{line.body}" of {line.service} is missing'


def _wrong_ids(trace: Trace) -> Iterator[str]:
    # The stock takes the shop's id, so there is one in each trace.
    ids = Counter(str(line.attributes.get("request_id")) for line in trace.lines)
    if len(ids) > 1:
        yield f"its lines have {len(ids)} request ids: {', '.join(ids)}"


def _wrong_steps(request: Sent, trace: Trace) -> Iterator[str]:
    expected = Counter((s.service, s.logger, s.message) for s in request.scenario.steps)
    ends = [line for line in trace.lines if "duration" in line.attributes]
    steps = [line for line in ends if line.logger != ACCESS]
    logged = Counter((line.service, line.logger, line.body) for line in steps)
    if logged != expected:
        yield f"steps ended: {list(logged)}, not {list(expected)}"
    spans = Counter(s.name for s in trace.spans if s.kind == INTERNAL)
    wanted = Counter(step.name for step in request.scenario.steps)
    if spans != wanted:
        yield f"spans of steps: {list(spans)}, not {list(wanted)}"
    for line in steps:
        if number_of(line) != request.number:
            yield f'the step "{line.body}" is of request {number_of(line)}'


def _wrong_users(request: Sent, trace: Trace) -> Iterator[str]:
    user = user_of(request.number)
    for line in trace.lines:
        found = line.attributes.get(USER)
        if found != (user if line.service == "shop" else None):
            yield f'the line "{line.body}" of {line.service} is of user {found}'
    for span in trace.spans:
        found = span.attributes.get(USER)
        if span.kind == SERVER and found != (user if span.service == "shop" else None):
            yield f'the span "{span.name}" of {span.service} is of user {found}'


def _name(request: Sent) -> str:
    scenario = request.scenario
    return f"{scenario.method} {scenario.path(request.number)}"
