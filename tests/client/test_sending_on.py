"""What a call carries on, and to whom."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web
from opentelemetry import baggage
from opentelemetry.context import attach
from opentelemetry.instrumentation.aiohttp_client import create_trace_config

from otel_aiohttp_logs import client_trace_config, instrument_app

OURS = ("traceparent", "X-Request-ID", "baggage")


@pytest.fixture
async def shop(serve, connector):
    """A service whose handler calls the stock as the test says; returns its client."""

    async def start(call, before=(), after=(), **options):
        async def handler(request):
            attach(baggage.set_baggage("tenant", "acme"))
            configs = [*before, client_trace_config(**options), *after]
            async with (
                aiohttp.ClientSession(
                    trace_configs=configs, connector=connector()
                ) as session,
                call(session),
            ):
                pass
            return web.json_response({"id": request["request_id"]})

        app = web.Application()
        app.router.add_get("/", handler)
        instrument_app(app, output="none")
        return await serve(app)

    return start


@pytest.fixture(autouse=True)
def _exporting_to_the_fake(quick_export):
    """What the shop's application exports has somewhere to go."""


async def test_a_call_carries_the_request_on(shop, stock):
    """Trace, baggage and the request's id, to everybody by default."""
    front = await shop(lambda s: s.get(stock.url("/status/200")))
    said = await (await front.get("/")).json()

    (parent,) = stock.headers("traceparent")
    assert parent.startswith("00-")
    assert stock.headers("baggage") == ["tenant=acme"]
    assert stock.headers("X-Request-ID") == [said["id"]]


@pytest.mark.parametrize(
    ("propagate_to", "host", "told"),
    [
        (None, "127.0.0.1", True),
        ([], "127.0.0.1", False),
        (["127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.1"], "localhost", False),
        (["LocalHost."], "localhost", True),
        ([".localhost"], "stock.localhost", True),
        (["*.localhost"], "stock.localhost", True),
        (["localhost"], "stock.localhost", False),
        ([".localhost"], "localhost", False),
        ([".localhost"], "notlocalhost", False),
        (["stock.localhost", "other"], "STOCK.localhost", True),
    ],
)
async def test_only_allowed_hosts_are_told(shop, stock, propagate_to, host, told):
    """By exact name, or all below one; the call is made in any case."""
    front = await shop(
        lambda s: s.get(stock.url("/status/200", host)),
        propagate_to=propagate_to,
    )
    response = await front.get("/")

    assert response.status == 200
    assert [stock.headers(name)[0] is not None for name in OURS] == [told] * 3


async def test_a_redirect_to_another_host_carries_nothing(shop, stock):
    """And a redirect back carries them again."""
    back = stock.redirect(stock.url("/status/200"))
    away = back.replace("127.0.0.1", "localhost", 1)
    front = await shop(
        lambda s: s.get(stock.redirect(away)), propagate_to=["127.0.0.1"]
    )
    await front.get("/")

    assert [request.host.partition(":")[0] for request in stock.heard] == [
        "127.0.0.1",
        "localhost",
        "127.0.0.1",
    ]
    for name in OURS:
        assert [v is not None for v in stock.headers(name)] == [True, False, True]
    first, _, third = stock.headers("traceparent")
    assert first != third


async def test_beside_a_span_of_contribs(shop, stock):
    """The span is its, and so are the trace's headers; the request's id is ours."""
    away = stock.redirect(stock.url("/status/200", "localhost"))
    front = await shop(
        lambda s: s.get(stock.redirect(away)),
        before=[create_trace_config()],
        propagate_to=["127.0.0.1"],
    )
    said = await (await front.get("/")).json()

    assert stock.headers("X-Request-ID") == [said["id"], said["id"], None]
    assert None not in stock.headers("traceparent")


async def test_a_header_that_another_config_sets(shop, stock):
    """Set after ours it's the other's, and stays theirs on a redirect."""
    other = aiohttp.TraceConfig()

    async def set_it(_, __, params):
        params.headers["X-Request-ID"] = "theirs"

    other.on_request_start.append(set_it)
    front = await shop(lambda s: s.get(stock.redirect("/status/200")), after=[other])
    await front.get("/")

    assert stock.headers("X-Request-ID") == ["theirs"] * 2


async def test_headers_of_the_application_stay(shop, stock):
    """Whatever it set itself is what is sent, on each attempt and to each host."""
    mine = {
        "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        "x-request-id": "mine",
        "Baggage": "a=b",
    }
    front = await shop(
        lambda s: s.get(
            stock.redirect(stock.url("/status/200", "localhost")), headers=mine
        ),
        propagate_to=["127.0.0.1"],
    )
    await front.get("/")

    for name, value in mine.items():
        assert stock.headers(name) == [value, value]
    assert stock.headers("tracestate") == [None, None]


@pytest.mark.parametrize(
    ("mine", "sent"),
    [
        ("traceparent", ["a=b", None, "tenant=acme", "ours"]),
        ("tracestate", ["ours", "a=b", "tenant=acme", "ours"]),
        ("baggage", ["ours", "c=d", "a=b", "ours"]),
        ("X-Request-ID", ["ours", "c=d", "tenant=acme", "a=b"]),
    ],
)
async def test_one_header_of_the_applications_own(shop, stock, mine, sent):
    """Its trace isn't mixed with ours; what has nothing to do with it is ours."""
    front = await shop(lambda s: s.get(stock.url("/status/200"), headers={mine: "a=b"}))
    caller = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01", "tracestate": "c=d"}
    await front.get("/", headers=caller)

    for name, value in zip(
        ("traceparent", "tracestate", "baggage", "X-Request-ID"), sent, strict=True
    ):
        (found,) = stock.headers(name)
        assert found not in {None, "a=b"} if value == "ours" else found == value


async def test_outside_of_a_request_there_is_no_id(stock, session):
    """A background job's call has a trace, and no request."""
    await session().get(stock.url("/status/200"))

    assert stock.headers("X-Request-ID") == [None]
    assert stock.headers("traceparent")[0] is not None
