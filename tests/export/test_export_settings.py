"""The ``OTEL_EXPORTER_OTLP_*`` variables mean what the specification says."""

from __future__ import annotations

import pytest

from otel_aiohttp_logs._environment import Environment
from otel_aiohttp_logs.export.settings import export_settings


def read(signal: str = "LOGS", **variables: str):
    environ = {f"OTEL_{name}": value for name, value in variables.items()}
    return export_settings(Environment(environ), signal, own=True)


def test_defaults():
    """Without variables records go to this host, as they are, in the usual batches."""
    logs, traces = read(), read("TRACES")

    assert logs.endpoint == "http://localhost:4318/v1/logs"
    assert traces.endpoint == "http://localhost:4318/v1/traces"
    assert logs.is_default
    assert logs.enabled
    assert not logs.gzip
    assert (logs.delay, traces.delay) == (1, 5)
    assert (logs.queue_size, logs.batch_size, logs.timeout) == (2048, 512, 10)


@pytest.mark.parametrize(
    ("endpoint", "compressed"),
    [
        ("http://otel:4318", True),
        ("https://10.0.0.1", True),
        ("http://localhost.example:4318", True),
        ("http://localhost:4318", False),
        ("http://127.0.0.1:4318", False),
        ("http://[::1]:4318", False),
    ],
)
def test_what_leaves_the_host_is_compressed(endpoint, compressed):
    """Unless told otherwise, records are compressed for a network, and only for one."""
    assert read(EXPORTER_OTLP_ENDPOINT=endpoint).gzip is compressed
    assert read(EXPORTER_OTLP_ENDPOINT=endpoint, EXPORTER_OTLP_COMPRESSION="gzip").gzip


def test_endpoint_for_all_signals():
    """The common endpoint is a base, whether it ends in a slash or not."""
    for base in ("http://otel:4318/x", "http://otel:4318/x/"):
        settings = read(EXPORTER_OTLP_ENDPOINT=base)

        assert settings.endpoint == "http://otel:4318/x/v1/logs"
        assert not settings.is_default


def test_endpoint_of_one_signal():
    """A signal's own endpoint is used as it is, and goes before the common one."""
    variables = {
        "EXPORTER_OTLP_ENDPOINT": "http://otel:4318",
        "EXPORTER_OTLP_LOGS_ENDPOINT": "https://logs/insert",
    }

    assert read(**variables).endpoint == "https://logs/insert"
    assert read("TRACES", **variables).endpoint == "http://otel:4318/v1/traces"


@pytest.mark.parametrize(
    "url", ["otel:4318", "ftp://otel", "http://", "http://otel:99999", "http://[::1"]
)
def test_endpoint_that_is_no_url(url):
    """An endpoint that isn't a URL is named, with an example."""
    with pytest.raises(ValueError, match="OTEL_EXPORTER_OTLP_ENDPOINT") as error:
        read(EXPORTER_OTLP_ENDPOINT=url)

    assert url in str(error.value)
    assert "http://localhost:4318" in str(error.value)


def test_headers():
    """Headers are decoded, and those of the signal replace the common ones."""
    headers = read(EXPORTER_OTLP_HEADERS="a=1, b = x%2Cy%3D%20z ,c==").headers
    own = read(EXPORTER_OTLP_HEADERS="a=1", EXPORTER_OTLP_LOGS_HEADERS="d=2").headers

    assert headers == {"a": "1", "b": "x,y= z", "c": "="}
    assert own == {"d": "2"}


@pytest.mark.parametrize(
    "text",
    [
        "secret",
        "=secret",
        "a b=secret",
        "a%3A=secret",
        "a=secret%0d%0aEvil: 1",
        "a=\x7f",
    ],
)
def test_bad_headers(text):
    """A header that couldn't be sent is refused at the start, without its value."""
    with pytest.raises(ValueError, match="OTEL_EXPORTER_OTLP_HEADERS") as error:
        read(EXPORTER_OTLP_HEADERS=f"good=1,{text}")

    assert "secret" not in str(error.value)


def test_numbers():
    """Timeouts and delays are milliseconds; a batch is never larger than the queue."""
    settings = read(
        EXPORTER_OTLP_TIMEOUT="1500",
        BLRP_SCHEDULE_DELAY="200",
        BLRP_MAX_QUEUE_SIZE="100",
        BLRP_MAX_EXPORT_BATCH_SIZE="400",
    )

    assert (settings.timeout, settings.delay) == (1.5, 0.2)
    assert (settings.queue_size, settings.batch_size) == (100, 100)
    assert read(BLRP_EXPORT_TIMEOUT="500").timeout == 0.5
    assert read(BLRP_EXPORT_TIMEOUT="500", EXPORTER_OTLP_TIMEOUT="90").timeout == 0.09
    assert read("TRACES", BLRP_EXPORT_TIMEOUT="500").timeout == 10


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXPORTER_OTLP_TIMEOUT", "10s"),
        ("EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("LOGS_EXPORTER", "console"),
        ("BLRP_MAX_QUEUE_SIZE", "0"),
        ("BLRP_SCHEDULE_DELAY", "-1"),
    ],
)
def test_bad_values(name, value):
    """Any other wrong value is refused at the start, by name."""
    with pytest.raises(ValueError, match=f"OTEL_{name}.*{value}"):
        read(**{name: value})


@pytest.mark.parametrize("endpoint", ["otel:4317", "http://otel:4317"])
def test_grpc_is_left_to_upstream(endpoint):
    """For upstream's exporters gRPC is a protocol, and its endpoints have any form."""
    environ = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
    }
    settings = export_settings(Environment(environ), "LOGS", own=False)

    assert (settings.protocol, settings.endpoint) == ("grpc", endpoint)
    environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/json"
    with pytest.raises(ValueError, match="http/protobuf or grpc"):
        export_settings(Environment(environ), "LOGS", own=False)


def test_console_is_left_to_upstream():
    """Its exporters print, beside sending or instead; ours only sends."""

    def read_theirs(exporters):
        environ = Environment({"OTEL_LOGS_EXPORTER": exporters})
        settings = export_settings(environ, "LOGS", own=False)
        return settings.enabled, settings.console

    assert read_theirs("otlp") == (True, False)
    assert read_theirs("otlp, console") == (True, True)
    assert read_theirs("console") == (False, True)
    assert read_theirs("none") == (False, False)
    for wrong in ("none,otlp", "zipkin", "otlp,zipkin"):
        with pytest.raises(ValueError, match=f"OTEL_LOGS_EXPORTER is '{wrong}'"):
            read_theirs(wrong)


def test_switched_off():
    """The exporter ``none`` switches a signal off, and it alone."""
    assert not read(LOGS_EXPORTER="none").enabled
    assert read("TRACES", LOGS_EXPORTER="none").enabled
    otel = "http://otel:4318"
    assert not read(EXPORTER_OTLP_ENDPOINT=otel, EXPORTER_OTLP_COMPRESSION="none").gzip


def test_secrets_are_not_shown():
    """Headers may hold secrets: whoever prints the settings doesn't print those."""
    settings = read(EXPORTER_OTLP_HEADERS="Authorization=hunter2")

    assert settings.headers == {"Authorization": "hunter2"}
    assert "hunter2" not in f"{settings} {settings!r}"
