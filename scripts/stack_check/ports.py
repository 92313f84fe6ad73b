"""
Which ports are taken, and by what.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from stack_check.ground import ROOT, InTheWayError, Model, published
from stack_check.shell import CommandError, call

if TYPE_CHECKING:
    from collections.abc import Container

LISTENING = "0A"
MOST_NAMED = 2


def check_ports(model: Model, *, without: Container[str] = ()) -> None:
    """
    Raise ``InTheWayError`` if a port that a service of *model* publishes is taken.
    """
    ports = {
        port: variable
        for key, variable in _variables().items()
        if (port := published(model).get(key)) and key[0] not in without
    }
    taken = [port for port in ports if not _free(port)]
    if not taken:
        return
    said = ", ".join(
        f"port {port} is taken{_by(port)} (set {ports[port]} to another)"
        for port in taken[:MOST_NAMED]
    )
    if len(taken) > MOST_NAMED:
        said += f", and {len(taken) - MOST_NAMED} more are"
    msg = f"{said}: in the environment or in {ROOT / '.env'}; see .env.example"
    raise InTheWayError(msg)


def _variables() -> dict[tuple[str, int], str]:
    """
    Return the variable that sets the port of each service, as the file words it.
    """
    file = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    found = {}
    for name, service in file["services"].items():
        for text in service.get("ports", ()):
            variable, target = re.findall(r"\{(\w+):-\d+\}:(\d+)$", text)[0]
            found[name, int(target)] = variable
    return found


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _by(port: int) -> str:
    """
    Return the words that say who listens there, as far as it can be told.
    """
    try:
        names = call(
            ["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"],
            seconds=5,
        ).split()
    except CommandError:
        names = []
    if names:
        return f" by the container {names[0]}"
    inodes = _listening_inodes(port)
    for process in Path("/proc").glob("[0-9]*"):
        if inodes & _socket_inodes(process):
            name = (process / "comm").read_text().strip()
            return f" by {name} (process {process.name})"
    return ""


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:  # no Linux
            continue
        for row in rows:
            words = row.split()
            if words[3] == LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                inodes.add(words[9])
    return inodes


def _socket_inodes(process: Path) -> set[str]:
    inodes = set()
    try:
        for handle in (process / "fd").iterdir():
            target = str(handle.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:  # not ours to look at, or just gone
        pass
    return inodes
