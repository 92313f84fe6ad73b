"""One request told apart: its spans as a tree, its lines in order of time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_aiohttp_logs.demo.caller import Sent
    from otel_aiohttp_logs.demo.otlp import Line, Span
    from otel_aiohttp_logs.demo.receiver import Trace
    from otel_aiohttp_logs.demo.terminal import Terminal
    from otel_aiohttp_logs.flat import Plain

BAR = 24
STEP = "step"
TOLD_ABOVE = "request_id"


def told_apart(request: Sent, trace: Trace, terminal: Terminal) -> Iterator[str]:
    """Yield the text of one request, which has a span at least."""
    scenario, paint = request.scenario, terminal.paint
    answer = str(request.status) if request.status else "nobody"
    yield terminal.rule(f"{scenario.method} {scenario.path(request.number)} → {answer}")
    yield f"   {scenario.happens}"
    yield ""
    yield f"   trace    {paint('bold', request.trace_id)}"
    for request_id in dict.fromkeys(_request_ids(trace)):
        yield f"   request  {paint('bold', request_id)}"
    yield ""
    begin = min(span.start_ns for span in trace.spans)
    yield from _tree(trace.spans, begin, terminal)
    yield ""
    for line in sorted(trace.lines, key=lambda line: line.time_ns):
        yield _line(line, begin, terminal)
    yield ""


def _request_ids(trace: Trace) -> Iterator[str]:
    for line in trace.lines:
        if TOLD_ABOVE in line.attributes:
            yield str(line.attributes[TOLD_ABOVE])


def _tree(spans: list[Span], begin: int, terminal: Terminal) -> Iterator[str]:
    children = defaultdict(list)
    ids = {span.span_id for span in spans}
    for span in sorted(spans, key=lambda span: span.start_ns):
        children[span.parent_id if span.parent_id in ids else ""].append(span)
    whole = max(span.end_ns for span in spans) - begin or 1

    def rows(parent: str, depth: int) -> Iterator[str]:
        for span in children[parent]:
            yield _row(span, depth, begin, whole, terminal)
            yield from rows(span.span_id, depth + 1)

    yield from rows("", 0)


def _row(span: Span, depth: int, begin: int, whole: int, terminal: Terminal) -> str:
    title = "  " * depth + ("└ " if depth else "") + span.name
    first = (span.start_ns - begin) * BAR // whole
    length = max(1, round((span.end_ns - span.start_ns) * BAR / whole))
    bar = (" " * first + "█" * length)[:BAR].ljust(BAR)
    style = "ERROR" if span.failed else span.service
    took = f"{(span.end_ns - span.start_ns) / 1e6:8.1f} ms"
    return (
        f"   {terminal.service(span.service)} {terminal.paint('dim', span.span_id[:8])}"
        f"  {title:<38} {took}  {terminal.paint(style, bar)}"
        f"  {terminal.paint('dim', _own(span.attributes))}"
    ).rstrip()


def _line(line: Line, begin: int, terminal: Terminal) -> str:
    paint = terminal.paint
    level = paint(line.severity, f"{line.severity:<7}")
    after = f"{(line.time_ns - begin) / 1e6:8.1f} ms"
    return (
        f"   {terminal.service(line.service)} {paint('dim', line.span_id[:8])}"
        f"  {paint('dim', after)}  {level} {line.body:<22}"
        f" {paint('dim', _fields(line))}"
    ).rstrip()


def _fields(line: Line) -> str:
    """Return what the application said and bound, or which exception aiohttp met."""
    if "exception.type" in line.attributes and STEP not in line.attributes:
        _, _, kind = str(line.attributes["exception.type"]).rpartition(".")
        return f"{kind}: {line.attributes.get('exception.message')!s}"
    return _own(line.attributes)


def _own(fields: Mapping[str, Plain]) -> str:
    # Names with a dot are OpenTelemetry's, such as code.function.name.
    own = [(k, v) for k, v in fields.items() if k != TOLD_ABOVE and "." not in k]
    return "  ".join(f"{key}={_quoted(str(value))}" for key, value in own)


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text
