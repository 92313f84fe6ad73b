"""Which span is current: children, ends, errors on their way out, decorators, tasks."""

from __future__ import annotations

import asyncio
import contextlib

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
)
from span_calls import OTHER, into

CALLS = []
call = into(CALLS)


def remote(flags):
    context = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(flags))
    return trace.set_span_in_context(NonRecordingSpan(context), Context())


def caught():
    return contextlib.suppress(ValueError)


@call
def twice_ended(tracer):
    span = tracer.start_span("x")
    span.end(7)
    span.end(8)


@call
def used_after_its_end(tracer):
    span = tracer.start_span("x", start_time=1)
    span.end(7)
    span.set_attribute("late", 1)
    span.set_attributes({"late": 1})
    span.add_event("late")
    span.add_link(OTHER)
    span.update_name("late")
    span.set_status(StatusCode.ERROR, "late")
    span.record_exception(ValueError("late"))
    tracer.start_span("child of the dead", trace.set_span_in_context(span)).end()


@call
def children(tracer):
    with tracer.start_as_current_span("a", attributes={"n": 1}):
        with tracer.start_as_current_span("b", kind=SpanKind.CLIENT):
            tracer.start_span("c").end()
        tracer.start_span("d").end()
        tracer.start_span("root", Context()).end()
    tracer.start_span("another root").end()


@call
def children_by_use_span(tracer):
    span = tracer.start_span("a")
    with trace.use_span(span, end_on_exit=True):
        trace.get_current_span().set_attribute("inside", True)
        tracer.start_span("b").end()


@call
def a_remote_parent(tracer):
    tracer.start_span("sampled", remote(1)).end()
    tracer.start_span("random", remote(3)).end()
    tracer.start_span("not sampled", remote(0)).end()
    tracer.start_span("random, not sampled", remote(2)).end()


@call
def a_parent_with_state(tracer):
    context = trace.set_span_in_context(NonRecordingSpan(OTHER), Context())
    span = tracer.start_span("x", context)
    tracer.start_span("y", trace.set_span_in_context(span)).end()
    span.end()


@call
def not_ended_on_exit(tracer):
    with tracer.start_as_current_span("x", end_on_exit=False) as span:
        pass
    span.set_attribute("still", "open")
    span.end()


@call
def ended_inside(tracer):
    with caught(), tracer.start_as_current_span("x") as span:
        span.end(7)
        raise ValueError("after the end")


@call
def errors_under_it(tracer):
    with (
        caught(),
        tracer.start_as_current_span("a"),
        tracer.start_as_current_span("b"),
    ):
        raise ValueError("wrong")
    with caught(), tracer.start_span("c"):
        raise ValueError("wrong")


@call
def errors_left_alone(tracer):
    off = {"record_exception": False, "set_status_on_exception": False}
    with caught(), tracer.start_as_current_span("a", **off):
        raise ValueError("wrong")
    with caught(), tracer.start_span("b", **off):
        raise ValueError("wrong")
    with caught(), tracer.start_as_current_span("c", record_exception=False):
        raise ValueError("wrong")
    with caught(), tracer.start_as_current_span("d", set_status_on_exception=False):
        raise ValueError("wrong")


@call
def errors_after_a_status(tracer):
    with caught(), tracer.start_as_current_span("a") as span:
        span.set_status(StatusCode.OK)
        raise ValueError("wrong")


@call
def no_errors_in_the_narrow_sense(tracer):
    with contextlib.suppress(KeyboardInterrupt), tracer.start_as_current_span("a"):
        raise KeyboardInterrupt
    with contextlib.suppress(GeneratorExit), tracer.start_as_current_span("b"):
        raise GeneratorExit
    with contextlib.suppress(KeyboardInterrupt), tracer.start_span("c"):
        raise KeyboardInterrupt


@call
def a_decorator(tracer):
    @tracer.start_as_current_span("decorated", attributes={"a": 1})
    def work(number):
        trace.get_current_span().set_attribute("number", number)
        return number

    assert [work(1), work(2)] == [1, 2]


@call
def a_decorator_of_a_coroutine_function(tracer):
    @tracer.start_as_current_span("decorated")
    async def work(number):
        await asyncio.sleep(0)
        trace.get_current_span().set_attribute("number", number)
        tracer.start_span("child").end()
        return number

    @tracer.start_as_current_span("failing")
    async def fail():
        await asyncio.sleep(0)
        raise ValueError("wrong")

    async def main():
        assert await work(1) == 1
        assert await work(2) == 2
        with caught():
            await fail()

    asyncio.run(main())


@call
def tasks_side_by_side(tracer):
    async def work(number):
        with tracer.start_as_current_span(f"work {number}"):
            await asyncio.sleep(0)
            tracer.start_span(f"child {number}").end()
            await asyncio.sleep(0)

    async def main():
        with tracer.start_as_current_span("all"):
            await asyncio.gather(*(work(number) for number in range(3)))

    asyncio.run(main())
