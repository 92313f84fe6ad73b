"""How one signal (traces or logs) leaves the process, read from its variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from otel_aiohttp_logs._environment import Environment, bad

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_ENDPOINT = "http://localhost:4318"
_PATHS = {"TRACES": "/v1/traces", "LOGS": "/v1/logs"}
_PROCESSOR = {"TRACES": "OTEL_BSP", "LOGS": "OTEL_BLRP"}
_DELAY_MS = {"TRACES": 5000, "LOGS": 1000}


# The name of a header: RFC 9110, section 5.6.2.
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)


class ExportSettings(NamedTuple):
    protocol: str
    """``http/protobuf``; ``grpc`` only on the way of ``pipeline="sdk"``."""
    enabled: bool
    """False with ``OTEL_{TRACES,LOGS}_EXPORTER=none``."""
    console: bool
    """Printed as well, or instead; only on the way of ``pipeline="sdk"``."""
    endpoint: str
    """The whole URL that batches are posted to."""
    is_default: bool
    """Nobody named an endpoint: then nobody listening there is no failure."""
    headers: Mapping[str, str]
    timeout: float
    """Seconds for one post."""
    gzip: bool
    certificate: str | None
    client_key: str | None
    client_certificate: str | None
    delay: float
    """Seconds that a record waits for its batch at most."""
    queue_size: int
    batch_size: int

    def __repr__(self) -> str:
        """Without the headers, which may hold secrets."""
        return f"<ExportSettings {self.protocol} enabled={self.enabled}>"


def export_settings(env: Environment, signal: str, *, own: bool) -> ExportSettings:
    """
    Return the settings of *signal*, ``TRACES`` or ``LOGS``.

    *own* is False when upstream's exporters read the variables by themselves; what
    only they understand is no error then. Raises ``ValueError`` on a bad one.
    """
    names = _names(signal)
    protocol = _protocol(env, names("PROTOCOL"), own=own)
    endpoint, is_default = _endpoint(env, signal, any_form=protocol == "grpc")
    processor = _PROCESSOR[signal]
    queue_size = env.number(f"{processor}_MAX_QUEUE_SIZE", 2048, least=1)
    exporters = _exporters(env, f"OTEL_{signal}_EXPORTER", own=own)
    # To this very host bytes cost nothing, and to make them fewer costs two thirds of
    # the exporting.
    default = "none" if _is_here(endpoint) else "gzip"
    gzip_name, compression = env.first(names("COMPRESSION"), default)
    if compression not in {"gzip", "none"}:
        raise bad(gzip_name, compression, "gzip or none")
    timeout_name, _ = env.first(names("TIMEOUT"), "")
    timeout = env.number(timeout_name, 10_000, least=1)
    longest = env.number(f"{processor}_EXPORT_TIMEOUT", 30_000, least=1)
    return ExportSettings(
        protocol=protocol,
        enabled="otlp" in exporters,
        console="console" in exporters,
        endpoint=endpoint,
        is_default=is_default,
        headers=_headers(env, names("HEADERS")),
        timeout=min(timeout, longest) / 1000,
        gzip=compression == "gzip",
        certificate=env.first(names("CERTIFICATE"), "")[1] or None,
        client_key=env.first(names("CLIENT_KEY"), "")[1] or None,
        client_certificate=env.first(names("CLIENT_CERTIFICATE"), "")[1] or None,
        delay=env.number(f"{processor}_SCHEDULE_DELAY", _DELAY_MS[signal]) / 1000,
        queue_size=queue_size,
        batch_size=min(
            queue_size, env.number(f"{processor}_MAX_EXPORT_BATCH_SIZE", 512, least=1)
        ),
    )


def _is_here(endpoint: str) -> bool:
    try:
        host = urlsplit(endpoint).hostname or ""
    except ValueError:  # of a form that only upstream's exporters know
        return False
    return host in {"localhost", "::1"} or host.startswith("127.")


def _exporters(env: Environment, name: str, *, own: bool) -> frozenset[str]:
    text = env.text(name, "otlp")
    exporters = frozenset(filter(None, map(str.strip, text.split(","))))
    if own and exporters - {"otlp", "none"}:
        wanted = 'otlp or none, or call instrument_app(app, pipeline="sdk") for console'
        raise bad(name, text, wanted)
    if exporters - {"otlp", "none", "console"} or "none" in exporters - {text}:
        raise bad(name, text, "otlp or console or otlp,console or none")
    return exporters


def _names(signal: str) -> Callable[[str], tuple[str, str]]:
    def names(what: str) -> tuple[str, str]:
        return (f"OTEL_EXPORTER_OTLP_{signal}_{what}", f"OTEL_EXPORTER_OTLP_{what}")

    return names


def _endpoint(env: Environment, signal: str, *, any_form: bool) -> tuple[str, bool]:
    own, base = _names(signal)("ENDPOINT")
    name, url = env.first((own, base), "")
    if not url:
        return DEFAULT_ENDPOINT + _PATHS[signal], True
    if any_form:  # gRPC also takes host:port, and upstream's exporter checks it
        return url, False
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
        valid = valid and parts.port != 0
    except ValueError:  # a port that is none, a broken IPv6 address
        valid = False
    if not valid:
        raise bad(name, url, f"a URL such as {DEFAULT_ENDPOINT}")
    # The signal's own variable is used as it is; the common one is a base.
    return (url if name == own else url.rstrip("/") + _PATHS[signal]), False


def _protocol(env: Environment, names: tuple[str, str], *, own: bool) -> str:
    name, protocol = env.first(names, "http/protobuf")
    if own and protocol != "http/protobuf":
        wanted = 'http/protobuf, or call instrument_app(app, pipeline="sdk") for grpc'
        raise bad(name, protocol, wanted)
    if protocol not in {"http/protobuf", "grpc"}:
        raise bad(name, protocol, "http/protobuf or grpc")
    return protocol


def _headers(env: Environment, names: tuple[str, str]) -> Mapping[str, str]:
    name, text = env.first(names, "")
    headers = {}
    for item in filter(None, map(str.strip, text.split(","))):
        key, equals, value = (unquote(part.strip()) for part in item.partition("="))
        if not equals or not _TOKEN.fullmatch(key) or not value.isprintable():
            # The value may be a secret: it is not repeated.
            raise bad(name, "…", "key=value,key=value with %XX for , and =")
        headers[key] = value
    return headers
