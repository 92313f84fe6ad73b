"""The services as child processes, which end when the demo does, however it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Mapping

PATIENCE = 10
LONGEST_LINE = 16 * 1024 * 1024


@dataclass(frozen=True)
class Service:
    name: str
    process: Process
    _shown: asyncio.Task[None]

    async def ended(self) -> int:
        """
        Return the status once the process has ended and its output is shown.

        Raises at once what goes wrong with showing it.
        """
        shown = asyncio.shield(self._shown)
        status, _ = await asyncio.gather(self.process.wait(), shown)
        return status

    async def stop(self) -> None:
        """Ask the process to end, and wait until it has sent what it still holds."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        await asyncio.wait_for(self.ended(), PATIENCE)


@asynccontextmanager
async def running(
    name: str, sock: socket.socket, env: Mapping[str, str], show: Callable[[str], None]
) -> AsyncIterator[Service]:
    """
    Run ``otel_aiohttp_logs.demo.{name}`` on *sock*; *show* gets each line it prints.

    The child holds the reading end of a pipe from us: killed or not, when we are gone
    the pipe is closed, and the child ends itself. It has a session of its own, so
    that Ctrl-C reaches us alone and it can still be asked for its last lines.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"otel_aiohttp_logs.demo.{name}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**env, "LEASH": "1", "LISTEN_FD": str(sock.fileno())},
        pass_fds=[sock.fileno()],
        start_new_session=True,
        limit=LONGEST_LINE,
    )
    sock.close()
    shown = asyncio.create_task(_show(process, show))
    try:
        yield Service(name, process, shown)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        shown.cancel()


async def _show(process: Process, show: Callable[[str], None]) -> None:
    assert process.stdout
    async for line in process.stdout:
        show(line.decode(errors="replace").rstrip("\r\n"))


def environment(
    service: str, endpoint: str, *, color: bool, **more: str
) -> dict[str, str]:
    """
    Return the environment of *service*, which sends to *endpoint*.

    The caller's own ``OTEL_*`` variables stay out of it: they are meant for other
    services, and the demo must look the same everywhere.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    for name in ("HOST", "PORT", "NO_COLOR", "FORCE_COLOR"):
        env.pop(name, None)
    return {
        **env,
        "OTEL_SERVICE_NAME": service,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
        "OTEL_AIOHTTP_LOGS_OUTPUT": "console",
        "PYTHONUNBUFFERED": "1",
        "FORCE_COLOR" if color else "NO_COLOR": "1",
        **more,
    }
