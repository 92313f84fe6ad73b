"""HTTPS: the certificates that the settings name are used, and checked."""

from __future__ import annotations

import asyncio

import pytest
from export.certificates import NO_OPENSSL, REMEDY, make_certificates, tls_collector
from export.records import flat_log, settings

from otel_aiohttp_logs.export.exporter import Exporter

pytestmark = pytest.mark.skipif(NO_OPENSSL, reason=REMEDY)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture
def start_collector(certificates):
    started = []

    def start(**options):
        started.append(tls_collector(certificates, **options))
        return started[-1]

    yield start
    for collector in started:
        collector.close()


async def test_certificate(start_collector, make_exporter, certificates):
    """A certificate of one's own is trusted if the settings name it."""
    collector = start_collector()
    exporter = make_exporter(
        collector.endpoint, certificate=str(certificates / "server.pem")
    )
    exporter.emit_log(flat_log("secret"))

    (log,) = await collector.wait_for_logs()
    assert log.body == "secret"


async def test_unknown_certificate(start_collector, make_exporter, lines):
    """One that nobody vouches for gets nothing, which is said once."""
    collector = start_collector()
    exporter = make_exporter(collector.endpoint)
    exporter.emit_log(flat_log())
    await collector.wait_until(lambda: exporter.stats().logs.retried >= 2)

    assert collector.logs == []
    ((level, message),) = lines()
    assert level == "WARNING"
    assert "certificate" in message.lower()


async def test_client_certificate(start_collector, make_exporter, certificates):
    """A Collector that asks who we are is told."""
    collector = start_collector(client_certificate=True)
    exporter = make_exporter(
        collector.endpoint,
        certificate=str(certificates / "server.pem"),
        client_certificate=str(certificates / "client.pem"),
        client_key=str(certificates / "client.key"),
    )
    exporter.emit_log(flat_log())
    await collector.wait_for_logs()

    exporter.emit_log(flat_log())
    await asyncio.to_thread(exporter.close)
    assert len(collector.logs) == 2


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"certificate": "/nowhere.pem"}, "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        ({"certificate": __file__}, "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        (
            {"client_certificate": "/nowhere.pem"},
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        ),
        (
            {"client_certificate": __file__, "client_key": __file__},
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        ),
    ],
)
def test_bad_files(changes, name):
    """A file that isn't there, or isn't what it should be, is named at the start."""
    with pytest.raises(ValueError, match=name) as error:
        Exporter(
            resource={},
            traces=settings("TRACES", "https://127.0.0.1:4318", **changes),
            logs=settings("LOGS", "https://127.0.0.1:4318"),
        )

    assert "PEM file" in str(error.value)
