"""Certificates of a server at 127.0.0.1 and of a client, and a Collector with them."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

from export.collector import FakeCollector

if TYPE_CHECKING:
    from pathlib import Path

NO_OPENSSL = not shutil.which("openssl")
REMEDY = "no openssl to make certificates with: install the package openssl"


def make_certificates(folder: Path) -> None:
    """Write ``{server,client}.{pem,key}``, each its own authority."""
    for name in ("server", "client"):
        options = (
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"),
        )
        subprocess.run(["openssl", *map(str, options)], check=True, capture_output=True)


def tls_collector(folder: Path, *, client_certificate: bool = False) -> FakeCollector:
    """Return a Collector that speaks TLS, and asks for the client's certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    if client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "client.pem")
    return FakeCollector(context)
