"""The real VictoriaLogs as a process, and its query API."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from backend_processes import free_port, get, running, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class VictoriaLogs(NamedTuple):
    address: str
    """Host and port."""

    def lines(self, trace_id: str) -> list[dict[str, str]]:
        """
        Return the lines of one trace, each a flat mapping, oldest first.
        """
        query = f'trace_id:="{trace_id}" | sort by (_time)'
        get(f"http://{self.address}/internal/force_flush")
        status, body = get(
            f"http://{self.address}/select/logsql/query?{urlencode({'query': query})}"
        )
        assert status == 200, (status, body)
        return [json.loads(line) for line in body.splitlines()]

    def lines_until(
        self, count: int, trace_id: str, *, within: float = 10
    ) -> list[dict[str, str]]:
        """
        Return the lines of one trace once there are *count*, or what there is then.
        """
        end = time.monotonic() + within
        while True:
            lines = self.lines(trace_id)
            if len(lines) >= count or time.monotonic() > end:
                return lines
            time.sleep(0.1)


@contextmanager
def running_victoria_logs(program: Path, folder: Path) -> Iterator[VictoriaLogs]:
    """
    Run VictoriaLogs with an empty store until the block ends.
    """
    address = f"127.0.0.1:{free_port()}"
    command = [
        str(program),
        f"-storageDataPath={folder / 'store'}",
        f"-httpListenAddr={address}",
        "-retentionPeriod=1d",
    ]
    with running("victoria-logs", command, folder) as process:
        wait_until_ready(process, f"http://{address}/health")
        yield VictoriaLogs(address)
