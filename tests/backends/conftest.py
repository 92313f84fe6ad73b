"""The real Collector and Jaeger, once for all tests that ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from backend_collector import Addresses, running_collector
from backend_found import ROOT, found_backends, missing
from backend_jaeger import running_jaeger
from backend_place import Place
from backend_served import WAYS, serve

if TYPE_CHECKING:
    from pathlib import Path

_figures = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def _found():
    return found_backends()


@pytest.fixture(scope="session")
def backend(_found):
    """
    Return the path of a program, or skip with the remedy: ``backend("jaeger")``.
    """

    def path_of(name: str) -> Path:
        if name not in _found.paths:
            missing(_found.remedy)
        return _found.paths[name]

    return path_of


@pytest.fixture(scope="session")
def jaeger(backend, tmp_path_factory):
    with running_jaeger(backend("jaeger"), tmp_path_factory.mktemp("jaeger")) as jaeger:
        yield jaeger


@pytest.fixture(scope="session")
def collector(backend, jaeger, tmp_path_factory):
    """
    The Collector with this repository's ``collector-config.yaml``, that also writes all
    that it passes on to files.
    """
    addresses = Addresses.free(jaeger=jaeger.otlp_grpc)
    folder = tmp_path_factory.mktemp("collector")
    with running_collector(
        backend("otelcol"), ROOT / "collector-config.yaml", folder, addresses
    ) as collector:
        yield collector


@pytest.fixture(scope="session", params=WAYS, ids=lambda way: way.name)
def served(request, collector, jaeger, tmp_path_factory):
    """
    What is known of the requests that went one way out, each way once.
    """
    way = request.param
    return serve(way, collector, jaeger, tmp_path_factory.mktemp(way.name))


@pytest.fixture
def place(tmp_path):
    """
    A copy of ``scripts/backends`` with a cache, a home and a PATH of its own.
    """
    return Place(tmp_path)


@pytest.fixture
def figure(request):
    """
    Return a function that puts a line into the summary at the end of the run.
    """
    return request.config.stash.setdefault(_figures, []).append


def pytest_terminal_summary(terminalreporter):
    figures = terminalreporter.config.stash.get(_figures, [])
    if figures:
        terminalreporter.section("counted in the real back ends")
        for line in sorted(figures):
            terminalreporter.write_line(line)
