"""``scripts/backends`` finds what is there, and says what is not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from backend_found import ROOT
from backend_place import DOCKER, GO, PROGRAM, STORE, VERSION, program

NEEDS_ALL = "test_span_and_line_through_the_configuration"


def test_cached_needs_no_go(place):
    """
    What is in the cache is named with its version and path, without Go or Docker.
    """
    program(place.cached, PROGRAM)

    assert place.run(STORE) == (0, f"{STORE} {VERSION} {place.cached}\n", "")
    assert place.run("--find", STORE) == (0, f"{STORE} {VERSION} {place.cached}\n", "")


def test_find_builds_nothing(place):
    """
    ``--find`` says what is missing and what to run, and leaves everything as it is.
    """
    place.put("go", GO)

    status, out, err = place.run("--find", STORE, "jaeger")

    assert (status, out) == (1, "")
    assert err == (
        f"scripts/backends: not there: {STORE} {VERSION}, jaeger 2.13.0; "
        "run scripts/backends\n"
    )
    assert not place.cache.exists()


def test_on_the_path(place):
    """
    A program on the PATH is taken if its version is the pinned one, and only then.
    """
    place.put(STORE, PROGRAM.replace(VERSION, f"{VERSION}0"))

    assert place.run("--find", STORE)[0] == 1

    place.put(STORE, PROGRAM)

    assert place.run("--find", STORE)[:2] == (
        0,
        f"{STORE} {VERSION} {place.bin / STORE}\n",
    )


def test_collector_without_its_parts(place):
    """
    A Collector on the PATH that lacks the parts that the tests need is not taken.
    """
    place.put("otelcol", "#!/usr/bin/env bash\necho otelcol version 0.999.0\n")

    assert place.run("--find", "collector")[0] == 1


def test_from_the_image(place):
    """
    The pinned image is asked before anything is built, and its container is removed.
    """
    place.put("docker", DOCKER)
    program(place.home / "in-image", PROGRAM)

    status, out, _ = place.run(STORE)

    assert (status, out) == (0, f"{STORE} {VERSION} {place.cached}\n")
    assert (place.home / "removed").read_text() == "a-container\n"


def test_image_of_another_machine(place):
    """
    A program out of the image that does not run here is not taken.
    """
    place.put("docker", DOCKER)
    place.put("go", GO)
    program(place.home / "in-image", "not for this machine")

    assert place.run(STORE)[0] == 0
    assert place.builds() == 1


@pytest.mark.parametrize("argument", ["grafana", "--fnd"])
def test_wrong_call(place, argument):
    """
    A word that means nothing is named, with those that do.
    """
    status, out, err = place.run(argument)

    assert (status, out) == (2, "")
    assert f"there is no {argument}" in err
    assert "victoria-logs" in err


def test_help(place):
    """
    ``--help`` has the exit codes.
    """
    status, out, _ = place.run("--help")

    assert status == 0
    assert "Exit codes: 0 all there; 1" in out


@pytest.mark.parametrize(
    ("required", "outcome"), [("", "1 skipped"), ("1", "1 error")], ids=["skip", "fail"]
)
def test_tests_without_backends(place, required, outcome):
    """
    Where the programs are missing the tests are skipped with one line that says what to
    run; ``TESTS_REQUIRE_BACKENDS=1`` makes a failure of it.
    """
    test = Path(__file__).with_name("test_backend_config.py")
    said = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            f"{test}::{NEEDS_ALL}",
            "-q",
            "-rsE",
            "-p",
            "no:cacheprovider",
        ],
        cwd=ROOT,
        env={
            "PATH": str(place.bin),
            "HOME": str(place.home),
            "OTEL_AIOHTTP_LOGS_CACHE": str(place.cache),
            "TESTS_REQUIRE_BACKENDS": required,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert outcome in said.stdout.splitlines()[-1], said.stdout
    assert re.search("not there: otelcol .+, jaeger .+, victoria-logs", said.stdout)
    assert "run scripts/backends" in said.stdout
