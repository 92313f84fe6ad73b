"""What the demo says before, while and after the requests run."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from otel_aiohttp_logs.demo.apart import told_apart
from otel_aiohttp_logs.demo.check import problems
from otel_aiohttp_logs.demo.figures import table, wrong_counts
from otel_aiohttp_logs.demo.receiver import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from otel_aiohttp_logs.demo.caller import Caller, Sent
    from otel_aiohttp_logs.demo.receiver import Received
    from otel_aiohttp_logs.demo.terminal import Terminal

SHOWN = ("order", "failing", "slow")
MOST_PROBLEMS = 20
NEXT = """\
   Your own service, in three lines:

       from otel_aiohttp_logs import instrument_app

       app = web.Application()
       instrument_app(app)

   Its lines and spans go to http://localhost:4318, or to where
   OTEL_EXPORTER_OTLP_ENDPOINT points: any OpenTelemetry Collector or back end.
   The same two services with a Collector, Jaeger, a log store and Grafana, from
   a clone of the repository:

       docker compose up
"""


def begin(out: Terminal, urls: Mapping[str, str], seconds: float | None) -> None:
    ends = f"after {seconds:g} s" if seconds else "with Ctrl-C"
    out.print(
        out.rule("Two services in two processes, requests that come at the same time"),
        *(f"   {what:<14} {url}" for what, url in urls.items()),
        f"   It ends {ends}, and then tells a few requests apart.",
        "",
        out.rule("The lines as they are logged"),
    )


def prefixed(out: Terminal, service: str) -> Callable[[str], None]:
    """Return what prints a line of *service*, marked as such."""
    mark = f"{out.service(service)} {out.paint('dim', '│')} "
    return lambda line: out.print(mark + line)


def end(out: Terminal, received: Received, caller: Caller) -> int:
    """Tell a few requests apart and return 0, or 1 if something is wrong with any."""
    wrong = problems(received, caller.sent)
    out.print("")
    for request in _shown(caller, wrong):
        trace = received.traces.get(request.trace_id, Trace())
        if trace.spans:
            out.print(*told_apart(request, trace, out))
    out.print(out.rule("All requests, as metrics"), *table(received, out), "")
    complaints = [
        *_failures(received, caller),
        *wrong_counts(received),
        *itertools.chain(*wrong.values()),
    ]
    if complaints:
        out.print(
            out.rule("Not told apart"),
            *(out.paint("red", f"   {text}") for text in complaints[:MOST_PROBLEMS]),
            f"   {len(complaints)} problems in {len(caller.sent)} requests.",
        )
        return 1
    checked = len(caller.sent)
    which = f"the last {checked} of " if checked < caller.count else ""
    out.print(
        out.rule("Each line under its own request"),
        f"   {which}{caller.count} requests, {received.lines} lines and "
        f"{received.spans} spans of two processes came in, and were checked: every",
        "   line of every request is there once, and none is under another request.",
        "   The histograms of both services have counted as many.",
        "",
        out.rule("Where to look next"),
        NEXT,
    )
    return 0


def _shown(caller: Caller, wrong: Mapping[str, list[str]]) -> Iterator[Sent]:
    """Yield the latest request of each kind to show, and the first that is wrong."""
    latest = {request.scenario.name: request for request in caller.sent}
    for name in SHOWN:
        if name in latest:
            yield latest[name]
    for request in caller.sent:
        if request.trace_id in wrong and request not in latest.values():
            yield request
            return


def _failures(received: Received, caller: Caller) -> Iterator[str]:
    if caller.unanswered:
        which = ", ".join(caller.failures)
        yield f"{caller.unanswered} requests got no answer {which}"
    for text in received.refused:
        yield f"a body was refused: {text}"
