"""The real programs, started as plain processes on free ports of loopback."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# A proxy of the environment has no business on loopback.
_opener = build_opener(ProxyHandler({}))


class Running(NamedTuple):
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


def free_port(host: str = "127.0.0.1") -> int:
    """
    Return a port of *host* on which nobody listens.

    Below the range that the system takes for outgoing connections, or one of these
    could have it before the program that it is meant for.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            socket.create_server((host, port)).close()
        except OSError:
            continue
        return port


def get(url: str, *, timeout: float = 5) -> tuple[int, bytes]:
    """
    Return the status and the body of what *url* answers, whatever the status is.
    """
    try:
        with _opener.open(url, timeout=timeout) as response:
            return response.status, response.read()
    except HTTPError as answer:
        with answer:
            return answer.code, answer.read()


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """
    Run *command* until the block ends; its output stays in *folder*.
    """
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
        )
    try:
        yield Running(name, process, log)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], *, within: float = 3) -> int:
    """
    End *process* and return its exit status; killed after *within* seconds.

    Jaeger takes ten seconds to end by itself.
    """
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait(5)


def wait_until_ready(program: Running, url: str, *, within: float = 20) -> None:
    """
    Return once *url* answers 200, or fail with the program's last lines.
    """
    end = time.monotonic() + within
    said: object = "nothing"
    while time.monotonic() < end and program.process.poll() is None:
        try:
            status, _ = get(url, timeout=2)
        except OSError as error:
            said = error
        else:
            if status == 200:
                return
            said = status
        time.sleep(0.05)

    msg = (
        f"{program.name} is not ready after {within} s ({url} answered {said}, "
        f"exit status {program.process.poll()}):\n{program.last_lines()}"
    )
    raise AssertionError(msg)
