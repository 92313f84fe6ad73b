"""Whatever ends a call, its span ends; and whatever fails in ours, the call is made."""

from __future__ import annotations

import asyncio
import gc

import aiohttp
import pytest
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import StatusCode


def error_of(span):
    return span.attributes.get("error.type"), span.status.status_code


async def ended(spans, number):
    """The spans, as soon as there are *number*."""
    for _ in range(500):
        if len(spans()) >= number:
            break
        gc.collect()
        await asyncio.sleep(0.01)
    assert len(spans()) == number
    return spans()


async def test_raise_for_status_is_the_answers_error(stock, session, spans):
    """Not the exception's: a dashboard looks for 503, raised or returned."""
    with pytest.raises(aiohttp.ClientResponseError):
        await session().get(stock.url("/status/503"), raise_for_status=True)

    (span,) = spans()
    assert span.attributes["http.response.status_code"] == 503
    assert error_of(span) == ("503", StatusCode.ERROR)
    assert span.status.description is None


@pytest.mark.parametrize(("method", "sent"), [("POST", 1), ("GET", 2)])
async def test_a_lost_connection(stock, session, spans, method, sent):
    """
    The service hung up: an error without a status.

    aiohttp tries a GET again by itself and tells nobody: it's within the one attempt.
    """
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await session().request(method, stock.url("/drop"))

    (span,) = spans()
    assert len(stock.heard) == sent
    assert "http.response.status_code" not in span.attributes
    assert error_of(span) == ("ServerDisconnectedError", StatusCode.ERROR)


async def test_a_garbled_answer(session, spans):
    """What the parser can't read has no status, though aiohttp's exception has one."""

    async def garble(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 two hundred\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(garble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(aiohttp.ClientResponseError):
        await session().get(f"http://127.0.0.1:{port}/")
    server.close()

    (span,) = spans()
    assert "http.response.status_code" not in span.attributes
    assert error_of(span) == ("ClientResponseError", StatusCode.ERROR)


async def test_aiohttps_own_timeout(stock, session, spans):
    """The exception that the application sees is the error."""
    timeout = aiohttp.ClientTimeout(total=0.05)
    with pytest.raises(asyncio.TimeoutError):
        await session().get(stock.url("/slow"), timeout=timeout)

    (span,) = spans()
    assert error_of(span) == ("TimeoutError", StatusCode.ERROR)


async def test_a_cancelled_call(stock, session, spans):
    """A deadline around the call cancels it: there was no answer, and it says so."""
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(session().get(stock.url("/slow")), 0.05)

    (span,) = spans()
    assert error_of(span) == ("CancelledError", StatusCode.ERROR)


async def test_a_call_that_is_given_up(stock, session, spans):
    """A coroutine that is closed instead of awaited to its end."""

    async def get():
        await session().get(stock.url("/slow"))

    call = get()
    call.send(None)
    call.close()

    (span,) = await ended(spans, 1)
    assert error_of(span) == ("GeneratorExit", StatusCode.ERROR)


async def test_another_trace_config_that_raises(stock, session, spans):
    """If aiohttp can't tell us the end, the span ends nevertheless, as an error."""
    broken = aiohttp.TraceConfig()

    async def fail(*_):
        raise ArithmeticError

    broken.on_request_start.append(fail)
    broken.on_request_exception.append(fail)
    for sides in ({"after": [broken]}, {"before": [broken]}):
        with pytest.raises(ArithmeticError):
            await session(**sides).get(stock.url("/status/200"))

    # Before us it raises before our span begins.
    (span,) = await ended(spans, 1)
    assert error_of(span) in {
        ("_OTHER", StatusCode.ERROR),  # before aiohttp 3.14 nobody is told
        ("ArithmeticError", StatusCode.ERROR),
    }


async def test_an_end_that_is_kept_from_us(stock, session, spans):
    """A config before ours raises when it hears of the exception: we never do."""
    broken = aiohttp.TraceConfig()

    async def fail(*_):
        raise ArithmeticError

    broken.on_request_exception.append(fail)
    with pytest.raises(ArithmeticError):
        await session(before=[broken]).get("http://127.0.0.1:1/")

    (span,) = await ended(spans, 1)
    assert error_of(span) == ("_OTHER", StatusCode.ERROR)


async def test_a_failure_of_ours(stock, session, provider, failures):
    """The call is made; it's said once."""

    class Broken(SpanProcessor):
        def on_start(self, span, parent_context=None):
            raise ArithmeticError

        def on_end(self, span):
            raise ArithmeticError

    provider.add_span_processor(Broken())
    client = session()
    statuses = [(await client.get(stock.url("/status/200"))).status for _ in range(3)]

    assert statuses == [200, 200, 200]
    (said,) = failures
    assert said.getMessage() == "client_telemetry_failed"
    assert said.exc_info[0] is ArithmeticError
    failures.clear()
