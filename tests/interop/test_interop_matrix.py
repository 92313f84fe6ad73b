"""
With what an application has of OpenTelemetry already, and whichever came first: one
SERVER span a request, each line once, and the same ids in every place.
"""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec

import pytest
from interop_rows import ROWS
from interop_run import IDS, INSTRUMENT, run

SERVER, CLIENT = 2, 3
DISTRO = "opentelemetry.distro"


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def row(request):
    if request.param.auto and not (INSTRUMENT.exists() and find_spec(DISTRO)):
        pytest.skip("no opentelemetry-instrument: pip install -e .[dev]")
    return request.param


def expected_lines(answer):
    """What the handler of a path logs, by its message."""
    *_, kind, number = answer.path.split("/")
    said = {
        "ok": [f"ok {number}", f"inner {number}"],
        "fail": [f"fail {number}"],
        "call": [f"call {number}"],
        "none": [],
    }
    return said[kind]


def places(outcome, answer, message):
    """The ids of one line, by the place where they stand."""
    for line in outcome.collector.logs:
        if line.body == message:
            fields = (line.trace_id, line.span_id, line.attributes["request_id"])
            assert not {"trace_id", "otelTraceID"} & set(line.attributes)
            yield "OTLP", fields
    for line in outcome.stdout:
        if line["message"] == message:
            yield "stdout", tuple(line[name] for name in IDS)
    for record in outcome.seen:
        if record["message"] == message:
            yield "record", tuple(record[name] for name in IDS)
            if "otelTraceID" in record:
                ids = (record["otelTraceID"], record["otelSpanID"])
                yield "alias", (*ids, record["request_id"])
    if answer.told and message.startswith("ok"):
        yield "handler", tuple(answer.told[name] for name in IDS)


def ids_of(spans_or_lines):
    return sorted(
        (one.trace_id, one.span_id, one.attributes["request_id"])
        for one in spans_or_lines
    )


def check_ids(row, outcome, answer, spans):
    """Return how many places of how many have the ids of the request's spans."""
    (served,) = [
        s for s in spans if s.attributes.get("request_id") == answer.request_id
    ]
    right = wrong = 0
    for message in expected_lines(answer):
        number = message.split()[1]
        (current,) = (
            [s for s in spans if s.name == f"inner {number}"]
            if message.startswith("inner")
            else [served]
        )
        assert current is served or current.parent_id == served.span_id
        true = (served.trace_id, current.span_id, answer.request_id)
        found = list(places(outcome, answer, message))
        wanted = {"OTLP", "record", "stdout"} if row.prints else {"OTLP", "record"}
        assert {place for place, _ in found} >= wanted
        right += sum(ids == true for _, ids in found)
        wrong += sum(ids != true for _, ids in found)
    return right, wrong


def durations(collector):
    """{name: how many requests}, of the server's histograms."""
    counts = Counter()
    for metric in collector.metrics:
        if metric.name.startswith("http.server.") and metric.HasField("histogram"):
            counts[metric.name] += sum(p.count for p in metric.histogram.data_points)
    return dict(counts)


def test_together(row, collector, tmp_path, matrix):
    """One SERVER span a request, each line once, its ids equal in every place."""
    outcome = run(row, collector, tmp_path / "seen.json")
    answers, spans = outcome.answers, collector.spans
    served = [span for span in spans if span.proto.kind == SERVER]
    lines = Counter(line.body for line in collector.logs if line.scope == "shop")
    expected = [message for answer in answers for message in expected_lines(answer)]
    access = [line for line in collector.logs if line.scope == "aiohttp.access"]
    ids = [check_ids(row, outcome, answer, spans) for answer in answers]
    right, wrong = (sum(column) for column in zip(*ids, strict=True))
    doubled = sum(number - 1 for number in lines.values())
    matrix(
        row.name,
        len(answers),
        len(served),
        len(lines),
        doubled,
        f"{right}/{right + wrong}",
    )

    assert len(served) == len(answers)
    assert sorted(lines.elements()) == sorted(expected)
    assert wrong == 0
    assert ids_of(access) == ids_of(served)
    for trouble in (
        "--- Logging error ---",
        "Failed to detach",
        "Failed to export",
        "recursive",
    ):
        assert trouble not in outcome.output
    assert durations(collector) == dict.fromkeys(row.durations, len(answers))
    assert row.calls == any(
        span.proto.kind == CLIENT and span.scope.endswith("aiohttp_client")
        for span in spans
    )
