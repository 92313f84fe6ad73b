"""Whatever comes in, requests are served as without us; wrong calls say what to do."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys

import pytest
from aiohttp import web

from otel_aiohttp_logs import instrument_app, stats, uninstrument_app

log = logging.getLogger("shop")


async def echo(request):
    """Answer with what the handler sees of the request."""
    return web.json_response(
        {"method": request.method, "path": request.path, "host": request.host}
    )


async def raw(port, text):
    """Send *text* as it is and return the answer's bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode("latin-1"))
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


def without_varying(answer):
    """The answer without what differs between any two, and without our header."""
    head, _, body = answer.partition(b"\r\n\r\n")
    kept = [
        line
        for line in head.split(b"\r\n")
        if not line.startswith((b"Date:", b"X-Request-ID:"))
    ]
    return kept, body


def app_with_echo():
    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    return app


REQUESTS = {
    "malformed traceparent": "GET /echo HTTP/1.1\r\nHost: a\r\ntraceparent: 00-zz\r\n",
    "two traceparents": "GET /echo HTTP/1.1\r\nHost: a\r\n"
    f"traceparent: 00-{'a' * 32}-{'b' * 16}-01\r\n"
    f"traceparent: 00-{'c' * 32}-{'d' * 16}-01\r\n",
    "8 kB user agent": f"GET /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: {'x' * 8000}\r\n",
    "8 kB tracestate": "GET /echo HTTP/1.1\r\nHost: a\r\n"
    f"traceparent: 00-{'a' * 32}-{'b' * 16}-01\r\ntracestate: {'x=1,' * 2000}\r\n",
    "8 kB traceparent": "GET /echo HTTP/1.1\r\nHost: a\r\n"
    f"traceparent: {'0' * 8000}\r\n",
    "8 kB baggage": f"GET /echo HTTP/1.1\r\nHost: a\r\nbaggage: {'k=v,' * 2000}\r\n",
    "port out of range": "GET /echo HTTP/1.1\r\nHost: foo:99999\r\n",
    "port zero": "GET /echo HTTP/1.1\r\nHost: foo:0\r\n",
    "host is no host": "GET /echo HTTP/1.1\r\nHost: [::1\r\n",
    "empty host": "GET /echo HTTP/1.1\r\nHost:\r\n",
    "no host": "GET /echo HTTP/1.0\r\n",
    "latin-1 header": "GET /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: \xe9\xff\r\n",
    "absolute form": "GET http://other:99/echo HTTP/1.1\r\nHost: a\r\n",
    "odd query": "GET /echo?%ff=%00&&=&a=%zz&b=\xe9 HTTP/1.1\r\nHost: a\r\n",
    "odd path": "GET /echo/..%2f%00/\xff HTTP/1.1\r\nHost: a\r\n",
    "asterisk": "OPTIONS * HTTP/1.1\r\nHost: a\r\n",
    "long path": f"GET /{'p' * 7000} HTTP/1.1\r\nHost: a\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_odd_requests_are_served_as_without_us(instrumented, serve, name):
    """The same answer, byte for byte, but for our header."""
    bare = await serve(app_with_echo())
    ours = await instrumented(app_with_echo())
    text = REQUESTS[name] + "Connection: close\r\n\r\n"

    expected = await raw(bare.port, text)
    got = await raw(ours.port, text)

    assert without_varying(got) == without_varying(expected)
    assert b"X-Request-ID: " in got or b"400 Bad Request" in got


async def test_an_odd_host_is_left_out(instrumented, arrived):
    """An address without its invalid port; the span is there like any other."""
    client = await instrumented(app_with_echo())
    for host in ("foo:99999", "[::1]:8080"):
        await raw(
            client.port,
            f"GET /echo HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
        )

    named, numbered = await arrived.served(2)
    assert named.attributes["server.address"] == "foo"
    assert "server.port" not in named.attributes
    assert numbered.attributes["server.address"] == "::1"
    assert numbered.attributes["server.port"] == 8080


async def test_a_tuple_of_middlewares(instrumented, arrived):
    """Middlewares given as a tuple run inside of ours, in their order."""
    order = []

    def note(name):
        @web.middleware
        async def middleware(request, handler):
            order.append((name, request["request_id"] is not None))
            return await handler(request)

        return middleware

    app = web.Application(middlewares=(note("one"), note("two")))
    app.router.add_get("/echo", echo)
    client = await instrumented(app)
    await client.get("/echo")

    await arrived.served()
    assert order == [("one", True), ("two", True)]


async def test_a_frozen_app_is_a_clear_error(serve):
    """Instrumenting after the start says when to do it, and changes nothing."""
    app = app_with_echo()
    client = await serve(app)

    with pytest.raises(RuntimeError, match=r"before .*run_app\(app\)"):
        instrument_app(app)

    assert (await client.get("/echo")).status == 200


def test_an_app_instrumented_twice_is_a_clear_error():
    """The second call says what to do instead; uninstrumenting makes room."""
    app = app_with_echo()
    instrument_app(app)

    with pytest.raises(RuntimeError, match=r"instrument_app.*once"):
        instrument_app(app)

    uninstrument_app(app)
    instrument_app(app)
    assert len(app.middlewares) == 1


@pytest.mark.parametrize(
    "thing", [None, "app", web.Application, web.RouteTableDef(), object()]
)
def test_something_that_is_no_application_is_a_clear_error(thing):
    """The error shows what was given and what to write."""
    with pytest.raises(TypeError, match=r"not .*: write app = web.Application\(\)"):
        instrument_app(thing)


def test_uninstrumenting_what_is_not_instrumented_is_a_clear_error():
    """There is nothing to undo, and the error says so."""
    with pytest.raises(RuntimeError, match="is not instrumented"):
        uninstrument_app(web.Application())


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense", "http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://host", "http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://host:port", "http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "localhost:4318", "a URL"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc", 'pipeline="sdk"'),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip or none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "a whole number"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no-equals-sign", "key=value"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "1 or more"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "-1", "a whole number"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "parentbased_always_on"),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "from 0 to 1"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp or none"),
        ("OTEL_SDK_DISABLED", "perhaps", "true or false"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name", "key=value"),
        ("OTEL_AIOHTTP_LOGS_PIPELINE", "mine", "own or sdk"),
        ("OTEL_AIOHTTP_LOGS_OUTPUT", "xml", "json"),
        ("OTEL_AIOHTTP_LOGS_LEVEL", "LOUD", "INFO"),
        ("OTEL_AIOHTTP_LOGS_SPAN_EVENTS", "1", "true or false"),
        ("OTEL_AIOHTTP_LOGS_REQUEST_ID_HEADER", "X Request", "X-Request-ID"),
    ],
)
def test_a_bad_variable_is_one_clear_error(monkeypatch, variable, value, wanted):
    """It names the variable, shows the value and says what to write instead."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(ValueError, match=variable) as caught:
        instrument_app(web.Application())

    text = str(caught.value)
    assert wanted in text
    assert value in text or variable == "OTEL_EXPORTER_OTLP_HEADERS"
    assert "\n" not in text


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("pipeline", "mine", "own or sdk"),
        ("output", "xml", "json"),
        ("level", "LOUD", "INFO"),
        ("span_events", "yes", "True or False"),
        ("request_id_header", "X:Y", "X-Request-ID"),
    ],
)
def test_a_bad_option_is_one_clear_error(option, value, wanted):
    """It names the option, shows the value and says what to write instead."""
    with pytest.raises(ValueError, match=f"option {option}") as caught:
        instrument_app(web.Application(), **{option: value})

    assert wanted in str(caught.value)
    assert value in str(caught.value)


def test_an_option_goes_before_its_variable(monkeypatch):
    """A bad variable doesn't matter where the call says it."""
    monkeypatch.setenv("OTEL_AIOHTTP_LOGS_OUTPUT", "xml")

    instrument_app(web.Application(), output="json")


def test_sdk_without_its_extra_is_a_clear_error():
    """Without upstream's exporters the error says what to install."""
    code = (
        "import sys\n"
        "sys.modules['opentelemetry.exporter'] = None\n"
        "from aiohttp import web\n"
        "from otel_aiohttp_logs import instrument_app\n"
        "try:\n"
        "    instrument_app(web.Application(), pipeline='sdk')\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "pip install 'otel-aiohttp-logs[otlp]'" in shown.stdout


async def test_a_tracer_that_fails_does_not_reach_the_request(serve, records):
    """Whatever the application's provider raises: the request is served, with an id."""
    from opentelemetry.trace import NoOpTracer, NoOpTracerProvider

    class Failing(NoOpTracer):
        def start_span(self, *args, **kwargs):
            raise RuntimeError("no span")

    class Provider(NoOpTracerProvider):
        def get_tracer(self, *args, **kwargs):
            return Failing()

    app = app_with_echo()
    instrument_app(app, tracer_provider=Provider())
    client = await serve(app)
    before = stats().telemetry_failures
    answers = [await client.get("/echo") for _ in range(3)]

    said = [r for r in records if r.getMessage() == "request_telemetry_failed"]
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len(ids) == 3
    assert len(said) == 1
    assert stats().telemetry_failures == before + 3
