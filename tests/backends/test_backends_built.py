"""``scripts/backends`` builds what is missing, once, and leaves nothing half-built."""

from __future__ import annotations

import os
import signal
import time

import pytest
from backend_place import GO, PROGRAM, STORE, VERSION, ended, program


def test_builds_once(place):
    """
    Two runs at once build once, and both name the program.
    """
    place.put("go", GO)
    runs = [place.start(STORE, GO_TAKES="0.5") for _ in range(2)]

    results = [ended(run)[:2] for run in runs]

    assert results == [(0, f"{STORE} {VERSION} {place.cached}\n")] * 2
    assert place.builds() == 1


@pytest.mark.parametrize("content", ["", PROGRAM.replace(VERSION, "1.0.0"), "\x7fELF"])
def test_half_built(place, content):
    """
    What lies in the cache and cannot run, or is of another version, is built anew.
    """
    place.put("go", GO)
    program(place.cached, content)

    assert place.run("--find", STORE)[0] == 1
    assert place.run(STORE)[0] == 0
    assert place.cached.read_text() == PROGRAM


def test_killed_while_building(place):
    """
    After a run that was killed the next one builds, and cleans up what that one left.
    """
    place.put("go", GO)
    run = place.start(STORE, GO_TAKES="30")
    end = time.monotonic() + 10
    while not place.builds():
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    ended(run)

    assert place.leftovers() != []
    assert not place.cached.exists()
    assert place.run(STORE)[0] == 0
    assert place.leftovers() == []


def test_no_go(place):
    """
    Without Go one line says what to install, and which version.
    """
    status, out, err = place.run(STORE)

    assert (status, out) == (3, "")
    assert err == (
        f"scripts/backends: {STORE} {VERSION} is not there and Go is not installed: "
        "install Go 1.26 or later (https://go.dev/dl/), or pull "
        f"victoriametrics/victoria-logs:v{VERSION}\n"
    )
    assert place.leftovers() == []


@pytest.mark.parametrize("version", ["go1.22.1", "go1.9", "devel"])
def test_old_go(place, version):
    """
    A Go that is too old is named, with the version that is needed.
    """
    place.put("go", GO)

    status, _, err = place.run(STORE, GO_SAYS=version)

    assert status == 3
    assert f"Go 1.26 or later is needed to build {STORE}" in err
    assert version in err
    assert err.count("\n") == 1
    assert place.builds() == 0


def test_no_disk(place):
    """
    Too little disk is found out before the build, and the folder is named.
    """
    place.put("go", GO)
    (place.bin / "df").unlink()
    place.put(
        "df", "#!/usr/bin/env bash\necho Filesystem\necho /dev/x 9 8 1024000 9% /\n"
    )

    status, _, err = place.run(STORE)

    assert status == 3
    assert f"{place.home}/go has 1000 MiB free" in err
    assert err.count("\n") == 1
    assert place.builds() == 0


def test_failed_build(place):
    """
    A failed build shows its last lines and where all of them are, and leaves nothing
    that could be taken for the program.
    """
    place.put("go", GO)

    status, out, err = place.run(STORE, GO_FAILS="no such module")

    assert (status, out) == (4, "")
    assert "no such module\n" in err
    assert err.splitlines()[-1].startswith(
        f"scripts/backends: building {STORE} {VERSION} failed"
    )
    assert place.leftovers() == []
    assert not place.cached.parent.exists()


def test_cache_that_cannot_be_written(place):
    """
    A cache folder that cannot be made is named, and the variable that sets another.
    """
    place.put("go", GO)
    place.cache.write_text("a file, not a folder")

    status, _, err = place.run(STORE)

    assert status == 3
    assert f"cannot write to {place.cache}" in err
    assert "OTEL_AIOHTTP_LOGS_CACHE" in err


def test_pins_that_contradict_each_other(place):
    """
    A Collector in docker-compose.yml that its builder's manifest does not know is said,
    with both files.
    """
    place.put("go", GO)

    status, _, err = place.run("collector")

    assert status == 2
    assert "docker-compose.yml" in err
    assert "backends.d/collector.yaml" in err
