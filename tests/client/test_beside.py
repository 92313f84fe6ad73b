"""Others who look at the same calls: contrib's instrumentation, the application."""

from __future__ import annotations

import aiohttp
import pytest
from opentelemetry import trace
from opentelemetry.context import (
    _SUPPRESS_HTTP_INSTRUMENTATION_KEY,
    _SUPPRESS_INSTRUMENTATION_KEY,
    attach,
    detach,
    get_current,
    set_value,
)
from opentelemetry.instrumentation.aiohttp_client import (
    AioHttpClientInstrumentor,
    create_trace_config,
)
from opentelemetry.instrumentation.utils import (
    is_http_instrumentation_enabled,
    suppress_http_instrumentation,
    suppress_instrumentation,
)

from otel_aiohttp_logs import client_trace_config

OURS = "otel_aiohttp_logs.client"
CONTRIBS = "opentelemetry.instrumentation.aiohttp_client"


@pytest.fixture
def contrib(provider):
    """contrib's instrumentation of all sessions made from now on."""
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield instrumentor
    instrumentor.uninstrument()


def scopes_of(spans):
    return [span.instrumentation_scope.name for span in spans()]


async def test_with_contribs_instrumentation(stock, contrib, session, spans):
    """One span a call, ours; and the context is left as it was."""
    client, before = session(), get_current()
    await client.get(stock.url("/status/200"))
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get("http://127.0.0.1:1/")

    assert scopes_of(spans) == [OURS, OURS]
    assert get_current() == before
    assert is_http_instrumentation_enabled()
    (sent,) = stock.headers("traceparent")
    assert sent.split("-")[2] == f"{spans()[0].context.span_id:016x}"


async def test_sessions_without_us_are_contribs(stock, contrib, session, spans):
    """What we take over is the call, and nothing after it."""
    await session().get(stock.url("/status/200"))
    async with aiohttp.ClientSession() as other:
        await other.get(stock.url("/status/200"))

    assert scopes_of(spans) == [OURS, CONTRIBS]


async def test_contrib_is_held_to_the_allowed_hosts(stock, contrib, session, spans):
    """It would send the trace to everybody."""
    client = session(propagate_to=["localhost"])
    await client.get(stock.url("/status/200"))

    assert stock.headers("traceparent") == [None]
    assert scopes_of(spans) == [OURS]


async def test_contribs_config_before_ours(stock, session, spans, provider):
    """Its span has begun before we hear of the call: it's the one."""
    theirs = create_trace_config(tracer_provider=provider)
    response = await session(before=[theirs]).get(stock.redirect("/status/200"))

    assert response.status == 200
    assert scopes_of(spans) == [CONTRIBS]
    sent = {value.split("-")[2] for value in stock.headers("traceparent")}
    assert sent == {f"{spans()[0].context.span_id:016x}"}


async def test_a_context_that_comes_back_after_the_call(stock, contrib, session, spans):
    """Another config undoes its own after ours: ours doesn't come back to life."""
    theirs = aiohttp.TraceConfig()

    async def start(_, context, __):
        context.token = attach(set_value("theirs", 1))

    async def end(_, context, __):
        detach(context.token)

    theirs.on_request_start.append(start)
    theirs.on_request_end.append(end)
    await session(after=[theirs]).get(stock.url("/status/200"))

    assert is_http_instrumentation_enabled()
    async with aiohttp.ClientSession() as other:
        await other.get(stock.url("/status/200"))
    assert scopes_of(spans) == [OURS, CONTRIBS]


async def test_a_call_within_a_call(stock, contrib, session, spans):
    """What is uploaded is fetched meanwhile: that call is taken over, too."""
    client = session()

    async def body():
        async with client.get(stock.url("/status/200")) as response:
            yield str(response.status).encode()

    await client.post(stock.url("/status/201"), data=body())

    assert scopes_of(spans) == [OURS, OURS]


@pytest.mark.parametrize(
    "key",
    [
        _SUPPRESS_HTTP_INSTRUMENTATION_KEY,
        _SUPPRESS_INSTRUMENTATION_KEY,
        "suppress_instrumentation",
    ],
)
async def test_each_way_to_say_so(stock, session, spans, key):
    """Newer and older ones."""
    token = attach(set_value(key, True))
    await session().get(stock.url("/status/200"))
    detach(token)

    assert spans() == ()


@pytest.mark.parametrize(
    "quiet", [suppress_instrumentation, suppress_http_instrumentation]
)
async def test_a_call_that_nobody_shall_see(stock, session, spans, quiet):
    """Exporters say so of their own calls: no span, no header."""
    with quiet():
        await session().get(stock.redirect("/status/200"))

    assert spans() == ()
    assert stock.headers("traceparent") == [None, None]


async def test_configs_of_the_application(stock, session, spans, provider):
    """They are told what they were told without us, with a context of their own."""
    told = []

    def watcher():
        config = aiohttp.TraceConfig()

        async def start(_, context, params):
            told.append((context.trace_request_ctx, vars(context).keys()))
            params.headers["X-Own"] = "1"

        async def end(_, context, params):
            told.append((context.trace_request_ctx, params.response.status))

        config.on_request_start.append(start)
        config.on_request_end.append(end)
        return config

    client = session(before=[watcher()], after=[watcher()])
    await client.get(stock.url("/status/200"), trace_request_ctx="mine")

    assert told == [("mine", {"trace_request_ctx"})] * 2 + [("mine", 200)] * 2
    assert stock.headers("X-Own") == ["1"]
    assert scopes_of(spans) == [OURS]


async def test_the_current_span_stays(stock, session, spans, provider):
    """The application's own span is current around a call, ours only sent."""
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span("order") as order:
        await session().get(stock.url("/status/200"))
        assert trace.get_current_span() is order


async def test_one_config_for_many_sessions(stock, session, spans, provider):
    """It may be made once, also before there's an event loop."""
    config = client_trace_config(tracer_provider=provider)
    await session(config=config).get(stock.url("/status/200"))
    await session(config=config).get(stock.url("/status/201"))

    assert [s.attributes["http.response.status_code"] for s in spans()] == [200, 201]
