"""What ``scripts/stack`` says when something around it is in the way."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import sysconfig

import pytest

IN_THE_WAY = 2
TOO_OLD = 'case "$1" in version) echo 19.03.5 ;; *) exit 1 ;; esac'
NO_PERMISSION = """
echo 'permission denied while trying to connect to the Docker daemon socket' >&2
exit 1
"""
NO_COMPOSE = 'case "$*" in version*) echo 28.2.2 ;; *) exit 1 ;; esac'
COMPOSE_V1 = "echo 'docker-compose version 1.29.2, build unknown'"


@pytest.fixture
def taken():
    """A port that somebody listens on: this process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def one_line(err):
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("scripts/stack: ")
    return lines[0]


def left_behind(place):
    """Everything in the cache but the lock, which is a name and no state."""
    return [path.name for path in place.cache.iterdir() if path.name != "stack.lock"]


@pytest.fixture
def with_disk(place):
    """The cache of a machine that has built the back ends: little disk is enough."""
    df = shutil.disk_usage(place.cache).free // 2**20
    if df < 7000:
        pytest.skip("7 GB of free disk are needed to come as far as this")


@pytest.mark.usefixtures("compose", "with_disk")
@pytest.mark.parametrize(
    ("docker", "says"),
    [
        (TOO_OLD, "the Docker engine is 19.03.5, and 20.10 or later is needed"),
        (NO_PERMISSION, "no permission for the Docker socket: add yourself"),
    ],
)
def test_engine_that_cannot_be_used(place, docker, says):
    """
    An engine that is too old, or that we may not use, is one line with the remedy; and
    nothing is left behind.
    """
    place.put("docker", docker)

    status, _, err = place.run()

    assert status == IN_THE_WAY
    assert says in one_line(err)
    assert "scripts/stack --processes" in err
    assert left_behind(place) == []


@pytest.mark.usefixtures("compose", "with_disk")
def test_compose_v1(place, taken):
    """
    Compose v1 on the PATH is said to be too old, and not used.
    """
    place.put("docker", NO_COMPOSE)
    place.put("docker-compose", COMPOSE_V1)

    status, out, err = place.run("--processes", SHOP_PORT=str(taken))

    assert status == IN_THE_WAY
    assert "docker-compose is 1.29, too old for docker-compose.yml (2.24)" in out
    assert f"port {taken} is taken" in one_line(err)  # it came as far as that


def test_no_compose_at_all(place):
    """
    Without any Compose of a useful age, the package to install is named.
    """
    place.put("docker", NO_COMPOSE)
    place.put("docker-compose", COMPOSE_V1)
    # Python, but not beside the docker-compose of the tests.
    place.python = str(place.bin / "python")
    (place.bin / "python").symlink_to(sys.executable)
    packages = sysconfig.get_path("purelib")

    status, _, err = place.run(PYTHONPATH=f"scripts:{packages}")

    assert status == IN_THE_WAY
    assert "no Docker Compose 2.24 or later: install" in one_line(err)
    assert left_behind(place) == []


@pytest.mark.usefixtures("compose", "with_disk")
def test_port_taken(place, taken):
    """
    A port that is taken is named, with who has it and the variable that moves it.
    """
    status, _, err = place.run("--processes", JAEGER_PORT=str(taken))

    assert status == IN_THE_WAY
    assert f"port {taken} is taken" in one_line(err)
    assert "set JAEGER_PORT to another" in err
    if sys.platform == "linux":
        assert f"(process {os.getpid()})" in err
    assert left_behind(place) == []


@pytest.mark.usefixtures("compose", "with_disk")
def test_port_taken_by_a_container(place, taken):
    """
    A container that has the port is called by its name.
    """
    ps = 'case "$*" in ps*) echo somebodys-grafana-1 ;; *) exit 1 ;; esac'
    place.put("docker", ps)

    status, _, err = place.run("--processes", LOGS_PORT=str(taken))

    assert status == IN_THE_WAY
    assert f"port {taken} is taken by the container somebodys-grafana-1" in err


@pytest.mark.usefixtures("compose")
def test_no_disk(place):
    """
    Too little disk is found before anything is made, and the folder is named.
    """
    small = f"mount -t tmpfs -o size=1m none {place.cache}"
    unshare = ["unshare", "--mount", "sh", "-c"]
    if subprocess.run([*unshare, small], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a disk that is too small")
    before = (*unshare, f'{small} && exec "$@"', "sh")

    status, _, err = place.run("--processes", before=before)

    assert status == IN_THE_WAY
    assert "make room, or set OTEL_AIOHTTP_LOGS_CACHE" in one_line(err)
    assert f"{place.cache} has 0 free" in err or f"{place.cache} has 1 free" in err


def test_cache_that_cannot_be_written(place):
    """
    A cache folder that cannot be made is named.
    """
    status, _, err = place.run(OTEL_AIOHTTP_LOGS_CACHE="/proc/nowhere")

    assert status == IN_THE_WAY
    assert "cannot write to /proc/nowhere" in one_line(err)


@pytest.mark.usefixtures("compose", "with_disk")
@pytest.mark.parametrize("text", ["", '{"file": "stack.js', '{"unknown": 1}'])
def test_half_written_state(place, taken, text):
    """
    What a run left that was killed is taken away, however little it had written down.
    """
    place.put("docker", NO_COMPOSE)
    (place.cache / "stack.json").write_text(text)

    status, out, err = place.run("--processes", SHOP_PORT=str(taken))

    assert status == IN_THE_WAY
    assert "a run before this one was killed" in out
    assert f"port {taken} is taken" in one_line(err)
    assert left_behind(place) == []


def test_kept_stack_is_left_alone(place):
    """
    A stack that somebody keeps running is not taken down by the next run.
    """
    state = f'{{"file": "{place.cache}/stack.json", "kept": true}}'
    (place.cache / "stack.json").write_text(state)

    status, _, err = place.run()

    assert status == IN_THE_WAY
    assert "end it first, with scripts/stack --down" in one_line(err)
    assert (place.cache / "stack.json").read_text() == state


def test_second_run(place):
    """
    Two runs do not share one machine: the second says so and ends.
    """
    with (place.cache / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, _, err = place.run()

    assert status == IN_THE_WAY
    assert "another scripts/stack is running" in one_line(err)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--only", "9"], "1 to 7"),
        (["--only", "x"], "1 to 7"),
        (["--kep"], "--kep"),
        (["--grafana", "--processes"], "not with --processes"),
    ],
)
def test_wrong_call(place, options, says):
    """
    A wrong option ends with what is wrong, before anything else.
    """
    status, _, err = place.run(*options)

    assert status == IN_THE_WAY
    assert says in err.splitlines()[-1]
    assert left_behind(place) == []
