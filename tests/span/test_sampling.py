"""Which traces are recorded, and what becomes of the others."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web
from opentelemetry.trace import SpanContext, TraceFlags

from otel_aiohttp_logs.span.remote import NOT_SAMPLED, SAMPLED, UNDECIDED
from otel_aiohttp_logs.span.sampling import sampler

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("name", "ratio", "root", "sampled", "unsampled"),
    [
        ("always_on", 1.0, True, True, True),
        ("always_off", 1.0, False, False, False),
        ("traceidratio", 0.0, False, False, False),
        ("traceidratio", 1.0, True, True, True),
        ("parentbased_always_on", 1.0, True, True, False),
        ("parentbased_always_off", 1.0, False, True, False),
        ("parentbased_traceidratio", 0.0, False, True, False),
    ],
)
def test_standard_samplers(name, ratio, root, sampled, unsampled):
    """Each decides for a root and for both kinds of parent as specified."""
    decide = sampler(name, ratio)
    parents = [
        SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(flags))
        for flags in (1, 0)
    ]

    decisions = [decide(None, 7), decide(parents[0], 7), decide(parents[1], 7)]
    assert decisions == [root, sampled, unsampled]


def test_the_ratio_decides_as_upstreams():
    """Both sides of a trace that is sampled by ratio decide alike."""
    from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

    from otel_aiohttp_logs.span.ids import new_trace_id

    theirs, ours = TraceIdRatioBased(0.3), sampler("traceidratio", 0.3)
    for _ in range(500):
        trace_id = new_trace_id()
        decision = theirs.should_sample(None, trace_id, "x").decision
        assert ours(None, trace_id) == (decision is Decision.RECORD_AND_SAMPLE)


@pytest.mark.parametrize(
    ("name", "ratio", "undecided", "yes", "no"),
    [
        ("parentbased_always_on", 1.0, True, True, False),
        ("parentbased_always_off", 1.0, False, True, False),
        ("parentbased_traceidratio", 0.0, False, True, False),
        ("always_on", 1.0, True, True, True),
        ("always_off", 1.0, False, False, False),
    ],
)
def test_a_caller_may_leave_the_decision_or_send_nothing_else(
    name, ratio, undecided, yes, no
):
    """Left to us, the root's sampler decides; a decision without ids is followed."""
    decide = sampler(name, ratio)

    assert decide(SpanContext(1, 2, is_remote=True, trace_flags=UNDECIDED), 7) == (
        undecided
    )
    assert decide(SpanContext(0, 0, is_remote=True, trace_flags=SAMPLED), 7) == yes
    assert decide(SpanContext(0, 0, is_remote=True, trace_flags=NOT_SAMPLED), 7) == no


@pytest.mark.parametrize(
    ("variables", "root", "sampled", "unsampled"),
    [
        ({"SAMPLER": "always_on"}, True, True, True),
        ({"SAMPLER": "always_off"}, False, False, False),
        ({"SAMPLER": "traceidratio", "SAMPLER_ARG": "0"}, False, False, False),
        ({"SAMPLER": "traceidratio", "SAMPLER_ARG": "1.0"}, True, True, True),
        ({"SAMPLER": "parentbased_always_on"}, True, True, False),
        ({"SAMPLER": "parentbased_always_off"}, False, True, False),
        (
            {"SAMPLER": "parentbased_traceidratio", "SAMPLER_ARG": "0"},
            False,
            True,
            False,
        ),
    ],
    ids=str,
)
def test_the_variable_decides_for_the_requests(
    service, variables, root, sampled, unsampled
):
    """
    Recorded or not, the ids are the caller's or random ones, and the trace goes on to
    the called service: with the flag of what was decided.
    """
    ask = service(
        **{f"OTEL_TRACES_{key}": value for key, value in variables.items()}
    ).ask
    answers = [
        ask(),
        ask(("traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "a=1")),
        ask(("traceparent", f"00-{TRACE}-{SPAN}-00"), ("tracestate", "a=1")),
    ]

    for answer, decided in zip(answers, (root, sampled, unsampled), strict=True):
        version, trace_id, span_id, flags = answer.header("traceparent").split("-")
        assert answer.sampled == decided
        assert answer.flags & 1 == decided
        assert (version, trace_id) == ("00", answer.trace_id)
        assert span_id not in {SPAN, "0" * 16}
        assert int(flags, 16) == answer.flags
    assert [answer.trace_id == TRACE for answer in answers] == [False, True, True]
    assert [answer.header("tracestate") for answer in answers] == [None, "a=1", "a=1"]


def test_where_nothing_is_recorded_the_caller_is_passed_on(service):
    """
    With the SDK disabled the next service continues the caller's span, and hears its
    decision: what we did not record is no link that is missing.
    """
    ask = service(OTEL_SDK_DISABLED="true").ask
    sampled = ask(("traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "a=1"))
    unsampled = ask(("traceparent", f"00-{TRACE}-{SPAN}-00"))
    odd = ask(("traceparent", f"00-{TRACE}-{SPAN}-fd"))
    alone = ask()

    assert (sampled.trace_id, sampled.sampled) == (TRACE, False)
    assert sampled.header("traceparent") == f"00-{TRACE}-{SPAN}-01"
    assert sampled.header("tracestate") == "a=1"
    assert unsampled.header("traceparent") == f"00-{TRACE}-{SPAN}-00"
    assert odd.header("traceparent") == odd.by_api["traceparent"]
    assert odd.header("traceparent").endswith("-01")
    assert alone.trace_id != "0" * 32


async def test_the_lines_of_an_unsampled_request_have_its_ids(
    monkeypatch, instrumented, collector, arrived
):
    """Lines are never sampled: they arrive with both ids, and no span does."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")

    async def handler(_):
        logging.getLogger("shop").warning("handling")
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    client = await instrumented(app)
    await client.get("/", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    await client.get("/")

    first, second = await arrived.lines(2)
    assert first.trace_id == TRACE
    assert first.span_id not in {SPAN, ""}
    assert second.trace_id not in {TRACE, ""}
    assert second.span_id
    assert [line.proto.flags & 1 for line in (first, second)] == [0, 0]
    assert collector.spans == []
