"""Each attempt to send a request is a span: redirects, retries of the application."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import aiohttp
import pytest


def shown(span):
    """What tells the attempts of a call from each other."""
    attributes = span.attributes
    return (
        span.name,
        attributes["url.full"].rpartition("/")[2].partition("?")[0],
        attributes.get("http.response.status_code"),
        attributes.get("http.request.resend_count"),
    )


async def test_each_redirect_is_an_attempt(stock, session, spans, provider):
    """They are siblings, counted, and each was sent the ids of its own span."""
    with provider.get_tracer("shop").start_as_current_span("order") as order:
        await session().get(stock.redirect(stock.redirect("/status/200"), 307))

    *calls, _ = spans()
    assert [shown(span) for span in calls] == [
        ("GET", "redirect", 307, None),
        ("GET", "redirect", 302, 1),
        ("GET", "200", 200, 2),
    ]
    assert {s.parent.span_id for s in calls} == {order.get_span_context().span_id}
    assert {span.status.is_unset for span in calls} == {True}
    assert [value.split("-")[2] for value in stock.headers("traceparent")] == [
        f"{span.context.span_id:016x}" for span in calls
    ]
    for before, after in pairwise(calls):
        assert before.end_time <= after.start_time


@pytest.mark.parametrize(
    ("method", "status", "followed_by"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("PUT", 303, "GET"),
        ("PUT", 302, "PUT"),
        ("HEAD", 303, "HEAD"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("GET", 301, "GET"),
    ],
)
async def test_the_method_is_what_is_sent(
    stock, session, spans, method, status, followed_by
):
    """A redirect may change the method, as aiohttp does it."""
    await session().request(method, stock.redirect("/status/204", status))

    assert [span.name for span in spans()] == [method, followed_by]
    assert [request.method for request in stock.heard] == [method, followed_by]
    assert spans()[1].attributes["http.request.method"] == followed_by


async def test_too_many_redirects_are_the_last_ones_error(stock, session, spans):
    """No span for the attempt that wasn't made."""
    with pytest.raises(aiohttp.TooManyRedirects):
        await session().get(stock.url("/loop"), max_redirects=3)

    assert [shown(span)[2:] for span in spans()] == [(302, None), (302, 1), (302, 2)]
    assert [s.attributes.get("error.type") for s in spans()] == [
        None,
        None,
        "TooManyRedirects",
    ]
    assert [span.status.is_ok for span in spans()] == [True, True, False]
    assert len(stock.heard) == 3


async def test_an_error_does_not_tell_the_url(stock, session, spans):
    """aiohttp's messages have it whole, with what may be a secret."""
    wrong = "http://me:hidden@127.0.0.1:port/?key=hidden"
    for url in (f"{stock.url('/loop')}?token=hidden", stock.redirect(wrong)):
        with pytest.raises(aiohttp.ClientError) as raised:
            await session().get(url, max_redirects=1 if "loop" in url else 9)
        assert "hidden" in str(raised.value)

    said = [span.status.description for span in spans()]
    assert [text.partition(":")[0] for text in said] == [
        "TooManyRedirects",
        "InvalidUrlRedirectClientError",
    ]
    assert "hidden" not in str(said)
    assert "127.0.0.1" in said[0]
    assert "127.0.0.1" in said[1]


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("ftp://127.0.0.1/x", aiohttp.NonHttpUrlRedirectClientError),
        ("http:///x", aiohttp.InvalidUrlRedirectClientError),
        ("http://127.0.0.1:port/", aiohttp.InvalidUrlRedirectClientError),
    ],
)
async def test_a_redirect_to_nowhere_is_its_own_error(
    stock, session, spans, location, error
):
    """aiohttp raises; the one span has the answer's status and the exception."""
    url = stock.url("/redirect") + f"?to={location}"
    with pytest.raises(error):
        await session().get(url)

    (span,) = spans()
    assert span.attributes["http.response.status_code"] == 302
    assert span.attributes["error.type"] == error.__name__


async def test_a_redirect_without_location_is_an_answer(stock, session, spans):
    """As it is with redirects that aren't to be followed."""
    response = await session().get(stock.url("/status/301"))
    other = await session().get(stock.url("/loop"), allow_redirects=False)

    assert (response.status, other.status) == (301, 302)
    assert [shown(span)[2:] for span in spans()] == [(301, None), (302, None)]


async def test_another_header_for_the_location(stock, session, spans):
    """aiohttp also follows ``URI``, which was once meant for that."""
    await session().get(stock.redirect("/status/200") + "&header=URI")

    assert [shown(span)[1:] for span in spans()] == [
        ("redirect", 302, None),
        ("200", 200, 1),
    ]


async def test_a_body_that_can_not_be_sent_again(stock, session, spans):
    """What aiohttp then does depends on its version: each request has a span."""

    async def body():
        yield b"tea"

    with suppress(aiohttp.ClientError):
        await session().post(stock.redirect("/status/200", 307), data=body())

    assert len(spans()) == len(stock.heard)


async def test_a_redirect_to_a_dead_service_fails_there(stock, session, spans):
    """The redirect was fine; the attempt after it has the error and its address."""
    with pytest.raises(aiohttp.ClientConnectorError):
        await session().get(stock.redirect("http://localhost:1/x"))

    first, second = spans()
    assert shown(first)[2:] == (302, None)
    assert first.status.is_unset
    assert shown(second)[1:] == ("x", None, 1)
    assert second.attributes["error.type"] == "ClientConnectorError"
    assert second.attributes["server.address"] == "localhost"
    assert second.attributes["server.port"] == 1


async def test_retries_of_the_application_are_calls(stock, session, spans, provider):
    """Siblings; counted where the retries are, as aiohttp-retry does it."""
    client = session()
    with provider.get_tracer("shop").start_as_current_span("order") as order:
        for attempt, status in enumerate((503, 502, 200), 1):
            await client.get(
                stock.url(f"/status/{status}"),
                trace_request_ctx={"current_attempt": attempt},
            )
        for other in ("anything", {"current_attempt": 0}, {"current_attempt": "2"}):
            await client.get(stock.url("/status/200"), trace_request_ctx=other)

    *calls, _ = spans()
    assert [shown(span)[2:] for span in calls] == [
        (503, None),
        (502, 1),
        (200, 2),
        *[(200, None)] * 3,
    ]
    assert {s.parent.span_id for s in calls} == {order.get_span_context().span_id}
