"""What ``scripts/stack`` judges by: each kind of defect has to be seen as one."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from aiohttp import ClientSession, web
from stack_check.ask import StoredSpan, Stores
from stack_check.check_grafana import check_grafana_itself
from stack_check.check_page import visible
from stack_check.compare import compare_lines, nanoseconds, shape
from stack_check.ground import Addresses
from stack_check.load import Latency, Request, latency
from stack_check.losses import doubled, lost_lines, lost_spans
from stack_check.provisioning import expanded
from stack_check.report import Report
from stack_check.truth import expected_lines, expected_spans, lines_in

from otel_aiohttp_logs.demo.caller import Sent
from otel_aiohttp_logs.demo.scenarios import SCENARIOS

NOW = 1_795_555_847_392_849_920
SECOND = 10**9


def request_of(name, number, *, trace_id=None, milliseconds=30):
    scenario = SCENARIOS[name]
    trace = trace_id or f"{number:032x}"
    sent = Sent(scenario, number, trace, "00000000000000aa", scenario.status)
    return Request(sent, NOW, NOW + milliseconds * 1_000_000)


def lines_of(request):
    """The lines that a right stack has of *request*, as VictoriaLogs answers them."""
    return [
        {
            "_msg": line.message,
            "_time": "2026-11-24T21:30:47.392849920Z",
            "trace_id": request.trace_id,
            "service.name": line.service,
            "scope.name": line.logger,
            "severity_text": line.severity,
            **(
                {"order": str(request.sent.number)}
                if line.service == line.logger
                else {}
            ),
        }
        for line in expected_lines(request).elements()
    ]


@pytest.fixture
def requests():
    return [request_of("order", 70001), request_of("failing", 70002)]


@pytest.fixture
def lines(requests):
    return [line for request in requests for line in lines_of(request)]


def test_right_lines(requests, lines):
    """
    What a right stack holds is found right.
    """
    found = compare_lines(requests, lines)

    assert (found.missing, found.extra, found.elsewhere) == ([], [], [])
    assert len(lines) == 16


def test_lines_of_spans(requests):
    """
    Each line is of its service's server span, or of its step.
    """
    for request in requests:
        parts = [
            lines_in(request, service, kind)
            for service in ("shop", "stock")
            for kind in ("server", "internal")
        ]
        steps = sum(1 + len(step.inside) for step in request.sent.scenario.steps)

        assert sum(parts, Counter()) == expected_lines(request)
        assert (parts[1] + parts[3]).total() == steps


def test_line_missing(requests, lines):
    """
    A line that is not there is missing, also its event.
    """
    lost = [line for line in lines if not line["_msg"].startswith("PUT")]

    found = compare_lines(requests, lost)

    assert len(found.missing) == 1
    assert "order 70001" in found.missing[0]
    assert [count for _, count in lost_lines(requests, lost)] == [1]


def test_line_twice(requests, lines):
    """
    A line that came twice is one too many.
    """
    found = compare_lines(requests, [*lines, lines[3]])

    assert len(found.extra) == 1
    assert found.missing == []


@pytest.mark.parametrize("other", ["f" * 32, ""])
def test_line_under_another_trace(requests, lines, other):
    """
    A line under another request's trace, or under none, is found by its number.
    """
    lines[2]["trace_id"] = other

    found = compare_lines(requests, lines)

    assert len(found.missing) == 1
    assert len(found.elsewhere) == 1


def test_wrong_severity(requests, lines):
    """
    A line with another severity is not the line that was logged.
    """
    lines[0]["severity_text"] = "DEBUG"

    found = compare_lines(requests, lines)

    assert len(found.missing) == len(found.extra) == 1


def spans_of(request):
    ids = {"shop server": "01", "shop client": "02", "stock server": "03"}
    ids |= {"shop internal": "04", "stock internal": "05"}
    parents = {"caller": request.sent.parent_id, **ids}
    return [
        StoredSpan(
            span.service,
            span.kind,
            span.name,
            ids[f"{span.service} {span.kind}"],
            parents[span.parent],
            span.failed,
            NOW,
            NOW + SECOND,
            {"http.response.status_code": str(span.status)} if span.status else {},
        )
        for span in expected_spans(request)
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"parent_id": "99"},
        {"failed": True},
        {"name": "PUT"},
        {"service": "shop"},
        {"attributes": {"http.response.status_code": "500"}},
        {"attributes": {}},
    ],
)
def test_wrong_span(wrong):
    """
    A span with another parent, mark, name, service or status is not the right one.
    """
    request = request_of("order", 70001)
    spans = spans_of(request)
    assert set(shape(request, spans)) == set(expected_spans(request))

    spans[2] = dataclasses.replace(spans[2], **wrong)

    assert set(shape(request, spans)) != set(expected_spans(request))


def test_lost_spans():
    """
    Spans that are not there are counted, and one that came twice does not make up.
    """
    request = request_of("order", 70001)
    spans = spans_of(request)

    assert lost_spans([request], {request.trace_id: spans}) == (0, 3)
    assert lost_spans([request], {request.trace_id: [spans[0]] * 3}) == (2, 3)
    assert lost_spans([request], {}) == (3, 3)


def test_doubled(requests, lines):
    """
    A line that came twice is counted; outside of the outage it is a defect.
    """
    at = nanoseconds(lines[0]["_time"])
    again = [*lines, dict(lines[0])]

    assert doubled(requests, lines, range(at - 1, at + 1)) == (0, [])
    assert doubled(requests, again, range(at - 1, at + 1)) == (1, [])
    assert len(doubled(requests, again, range(at + 1, at + 2))[1]) == 1


def test_latency():
    """
    Of the requests only ordinary orders are timed.
    """
    orders = [request_of("order", n, milliseconds=n) for n in range(1, 101)]

    found = latency([*orders, request_of("slow", 7, milliseconds=9000)])

    assert found == Latency(50.5, pytest.approx(95.95), 100)


def test_row_of_nothing():
    """
    A row that counted nothing has failed, and so has one in which something broke.
    """
    report = Report()
    with report.row(1, "empty") as row:
        row.all_of(0, 0, "lines")
    with report.row(2, "broken"):
        raise OSError
    with report.row(3, "right") as row:
        row.all_of(2, 2, "lines")

    assert report.failed == 2


def test_expanded_as_grafana_does():
    """
    $NAME is replaced, $$ is one $; a $ that was forgotten takes its word with it.
    """
    env = {"LOGS_PORT": "9428"}

    text = expanded("a$LOGS_PORT/${LOGS_PORT} $${__trace.traceId} ${__value.raw}", env)

    assert text == "a9428/9428 ${__trace.traceId} "


def test_visible_text():
    """
    Of a page only what a person sees is looked at.
    """
    page = "<style>card refused</style><p>card &lt;b&gt;</p><script>'shop'</script>"

    assert visible(page).split() == ["card", "<b>"]


@pytest.mark.parametrize(("status", "failed"), [("OK", 0), ("ERROR", 1)])
async def test_grafana_is_asked_for_its_health(compose, aiohttp_server, status, failed):
    """
    With --grafana each data source's health and the dashboard are asked for.
    """
    asked = []

    async def answer(request):
        asked.append(request.path)
        return web.json_response({"status": status})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    server = await aiohttp_server(app)
    model = compose.model()
    model["services"]["grafana"]["ports"][0]["published"] = str(server.port)
    report = Report()

    async with ClientSession() as session:
        nowhere = Addresses(*[""] * 7)
        ground = type("Ground", (), {"model": model})
        await check_grafana_itself(report, ground, Stores(session, nowhere))

    assert report.failed == failed
    assert asked == [
        "/api/datasources/uid/jaeger/health",
        "/api/datasources/uid/victorialogs/health",
        "/api/dashboards/uid/otel-aiohttp-logs",
    ]
