"""A demo that runs as people run it: a program and its output."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager

PATIENCE = 60


class Demo:
    """A running demo; *lines* is what it has printed so far."""

    def __init__(self, process):
        self.process = process
        self.lines = []

    async def until(self, text):
        """Return the next line that contains *text*."""
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
            assert line, "\n".join(self.lines)
            self.lines.append(line.decode().rstrip("\n"))
            if text in self.lines[-1]:
                return self.lines[-1]

    async def end(self):
        """Return its status once it has ended and all of its output is read."""
        rest = await asyncio.wait_for(self.process.stdout.read(), PATIENCE)
        self.lines += rest.decode().splitlines()
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    @property
    def text(self):
        return "\n".join(self.lines)

    async def children(self):
        """Return the ids of the processes of its two services."""
        ps = await asyncio.create_subprocess_exec(
            *("ps", "-o", "pid=", "--ppid", str(self.process.pid)),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await ps.communicate()
        return [int(pid) for pid in out.split()]


@asynccontextmanager
async def running(*arguments, **env):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "otel_aiohttp_logs", "demo", *arguments),
        env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
        start_new_session=True,
    )
    try:
        yield Demo(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def all_gone(pids):
    for _ in range(PATIENCE * 10):
        if not any(map(alive, pids)):
            return True
        await asyncio.sleep(0.1)
    return False
