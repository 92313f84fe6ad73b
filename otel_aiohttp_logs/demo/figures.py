"""The requests as metrics: a row for each route, and whether the counts are right."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_aiohttp_logs.demo.points import Point
    from otel_aiohttp_logs.demo.receiver import Received
    from otel_aiohttp_logs.demo.terminal import Terminal

SERVED = "http.server.request.duration"
CALLED = "http.client.request.duration"
ACTIVE = "http.server.active_requests"
VERBS = {SERVED: "served", CALLED: "called"}
KINDS = {2: SERVED, 3: CALLED}
"""Which kind of span is counted by which metric."""
P95 = 0.95


class Route(NamedTuple):
    """What is counted together; of a call, where it goes is all that is known."""

    service: str
    metric: str
    request: str

    def __str__(self) -> str:
        return f"{self.request} {VERBS[self.metric]} by {self.service}"


@dataclass(frozen=True)
class Figures:
    count: int
    mean: float
    p95: float
    """Seconds."""


def wrong_counts(received: Received) -> Iterator[str]:
    """
    Yield where a histogram's count is not that of the spans, or a request never ended.

    Spans are held against the requests that were sent, so they are the truth here.
    """
    measured = Counter({r: f.count for r, f in figures(received).items()})
    for route in sorted({*measured, *received.routes}):
        spans = received.routes[route]
        if measured[route] != spans:
            yield f"{route}: {measured[route]} by its metric, {spans} by its spans"
    for service, count in in_progress(received).items():
        if count:
            yield f"{ACTIVE} of {service} is {count} at the end, not 0"


def figures(received: Received) -> Mapping[Route, Figures]:
    points = defaultdict(list)
    for point in received.points.values():
        if point.metric in VERBS:
            points[route_of(point.service, point.metric, point.attributes)].append(
                point
            )
    return {route: _figures(points[route]) for route in sorted(points)}


def in_progress(received: Received) -> Mapping[str, int]:
    """Return how many requests each service says that it is serving."""
    active: Counter[str] = Counter()
    for point in received.points.values():
        if point.metric == ACTIVE:
            active[point.service] += point.count
    return active


def route_of(service: str, metric: str, attributes: Mapping[str, object]) -> Route:
    """Return where a span or a point with these *attributes* counts."""
    if metric == SERVED:
        what = str(attributes.get("http.route", "(no route)"))
    else:
        what = "{}:{}".format(
            *(attributes.get(f"server.{part}", "") for part in ("address", "port"))
        )
    return Route(service, metric, f"{attributes.get('http.request.method')} {what}")


def table(received: Received, terminal: Terminal) -> Iterator[str]:
    """Yield a row for each route of each service, and what is in progress."""
    head = f"{'':<15}{'':<38} {'requests':>8} {'mean':>11} {'p95':>11}"
    yield "   " + terminal.paint("dim", head)
    for route, found in figures(received).items():
        yield (
            f"   {terminal.service(route.service)}   {VERBS[route.metric]} "
            f"{route.request:<38} {found.count:>8} "
            f"{found.mean * 1000:8.1f} ms {found.p95 * 1000:8.1f} ms"
        )
    active = in_progress(received).items()
    still = ", ".join(f"{service} {count}" for service, count in sorted(active))
    yield f"   in progress at the end: {still}"


def _figures(points: Sequence[Point]) -> Figures:
    count = sum(point.count for point in points)
    total = sum(point.total for point in points)
    # All are of one instrument, and so have the same bounds.
    buckets = [sum(counts) for counts in zip(*(p.buckets for p in points), strict=True)]
    most = max(point.most for point in points)
    p95 = min(quantile(P95, points[0].bounds, buckets), most)
    return Figures(count, total / count, p95)


def quantile(share: float, bounds: Sequence[float], buckets: Sequence[int]) -> float:
    """
    Return below what a *share* of the values lies, as Prometheus works it out.

    Within its bucket it's a guess: as if the values were spread evenly.
    """
    wanted, below = share * sum(buckets), 0
    for low, high, count in zip((0.0, *bounds), bounds, buckets, strict=False):
        if below + count >= wanted and count:
            return low + (high - low) * (wanted - below) / count
        below += count
    return bounds[-1]
