"""
``scripts/backends`` in good and in bad surroundings.

A copy of it runs with a PATH of its own. Where a test needs Go, Docker or ``df`` to
say something special, a small program of that name on this PATH says it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from backend_found import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = """
awk bash cat chmod cp df dirname env grep head mkdir mktemp mv rm sed sleep tail
""".split()  # noqa: SIM905 (readable)

STORE = "victoria-logs"
VERSION = "1.52.1"
COMPOSE = f"""
services:
  victoria-logs: {{image: "${{LOGS_IMAGE:-victoriametrics/victoria-logs:v{VERSION}}}"}}
  jaeger: {{image: "jaegertracing/jaeger:2.13.0"}}
  collector: {{image: "otel/opentelemetry-collector-contrib:0.999.0"}}
"""

PROGRAM = f"#!/usr/bin/env bash\necho victoria-logs-v{VERSION}\n"

# Writes down each build, and builds a program that tells its version.
GO = f"""#!/usr/bin/env bash
case "$1 $2" in
"env GOVERSION") echo "${{GO_SAYS:-go1.26.8}}" ;;
"env "*) echo "$HOME/go" ;;
"build "*)
  echo "$$" >>"$HOME/builds"
  sleep "${{GO_TAKES:-0}}"
  [ -z "${{GO_FAILS:-}}" ] || {{ echo "$GO_FAILS" >&2; exit 1; }}
  while [ "$1" != -o ]; do shift; done
  printf '%s\\n' '#!/usr/bin/env bash' 'echo victoria-logs-v{VERSION}' >"$2"
  chmod +x "$2"
  ;;
esac
"""

DOCKER = f"""#!/usr/bin/env bash
case "$1 $2" in
"image inspect") [ "$3" = victoriametrics/victoria-logs:v{VERSION} ] ;;
"create "*) echo a-container ;;
"cp "*) [ "$2" = a-container:/victoria-logs-prod ] && cp "$HOME/in-image" "$3" ;;
"rm "*) echo "$2" >>"$HOME/removed" ;;
*) exit 1 ;;
esac
"""

DF = """#!/usr/bin/env bash
echo Filesystem 1024-blocks Used Available Capacity Mounted on
echo /dev/a 9000000 7976000 1024000 89% /
"""


class Place:
    """A copy of the script, a cache, a home and a PATH that only a test knows."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.cache = folder / "a cache"
        self.home = folder
        scripts = folder / "scripts"
        shutil.copytree(ROOT / "scripts" / "backends.d", scripts / "backends.d")
        shutil.copy(ROOT / "scripts" / "backends", scripts)
        (folder / "docker-compose.yml").write_text(COMPOSE)
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        (self.bin / "python3").symlink_to(sys.executable)
        self.cached = self.cache / f"{STORE}-{VERSION}" / STORE

    def put(self, name: str, content: str) -> None:
        program(self.bin / name, content)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.home / "scripts" / "backends"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                "PATH": str(self.bin),
                "HOME": str(self.home),
                "OTEL_AIOHTTP_LOGS_CACHE": str(self.cache),
                **environ,
            },
            start_new_session=True,
        )

    def run(self, *arguments: str, **environ: str) -> tuple[int, str, str]:
        return ended(self.start(*arguments, **environ))

    def builds(self) -> int:
        built = self.home / "builds"
        return len(built.read_text().splitlines()) if built.exists() else 0

    def leftovers(self) -> list[str]:
        return [path.name for path in self.cache.glob("*.scratch.*")]


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def program(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


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
