"""The service and the receiver as processes, seen from the outside. Linux only."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from parts import cores
from parts.load import Pool

HERE = Path(__file__).parent
PATIENCE = 60.0


class Process:
    """One of our programs, listening on a port of its own on loopback."""

    def __init__(self, program, *arguments, output=None, **variables):
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
            self.port = listening.getsockname()[1]
            answers, to_us = os.pipe()
            descriptors = listening.fileno(), to_us
            arguments = _arguments(program, arguments, *descriptors)
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / program), *arguments],
                pass_fds=descriptors,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if output is None else output,
                stderr=output,  # ours if there's none: what goes wrong is seen
                env={**_clean_environment(), **variables},
            )
        os.close(to_us)
        self._answers = os.fdopen(answers)
        self.pid = self._process.pid
        self.is_service = program == "service.py"
        self._pools = {}

    def __enter__(self):
        self.wait_until_ready()
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until_ready(self):
        """Wait until a service is there, and move it to the core of the services."""
        if self.is_service:
            self.tell("ready")
            cores.move_service(self.pid)

    def pool(self, number):
        """Return *number* connections to it: the same ones each time."""
        if number not in self._pools:
            self._pools[number] = Pool(self.port, number)
        return self._pools[number]

    def log_access(self, level):
        """Switch the access log ``on`` or ``off``."""
        self.tell(f"access {level}")
        self._close_pools()  # aiohttp asks once for each connection whether it is on

    def _close_pools(self):
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def get(self, path):
        """Return the JSON that stands at *path*."""
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return json.load(response)

    def tell(self, command):
        """Give the service a command, and return its answer."""
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()
        return json.loads(self._answers.readline())

    def cpu(self):
        """
        Return the seconds of CPU that the process has used in all its threads.

        Without its help, which would cost it something: as the clock of a process,
        which is as fine as the scheduler's. This is how Linux numbers these clocks.
        """
        return time.clock_gettime_ns(~self.pid << 3 | 2) / 1e9

    def cpu_of_loop(self):
        """Return the seconds of CPU that its first thread has used."""
        file = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat")
        return int(file.read_text().split()[0]) / 1e9

    def memory(self):
        """Return the MiB that are resident."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    def flush(self):
        """Have all sent that was queued."""
        self.tell("flush")

    def drain(self):
        """Have all sent. The last access lines come after their answers."""
        time.sleep(0.1)
        self.flush()

    def end(self, patience=PATIENCE):
        """Ask the process to end, and return the seconds that it took, None if none."""
        start = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - start

    def stop(self):
        self._close_pools()
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._answers.close()


def service(variant, endpoint, **options):
    """Start the service as *variant*, which exports to *endpoint*."""
    process = Process(
        "service.py",
        variant,
        OTEL_SERVICE_NAME="bench",
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        # What upstream calls the stable names; ours are never anything else.
        OTEL_SEMCONV_STABILITY_OPT_IN="http",
        **options,
    )
    cores.let_start(process.pid)
    return process


def services(stack, variants, url, **options):
    """Start all *variants* side by side; return them by name once they are ready."""
    started = {name: service(name, f"{url}/{name}", **options) for name in variants}
    for process in started.values():
        stack.enter_context(process)
    return started


def receiver(*arguments):
    return Process("receiver.py", *arguments)


def _arguments(program, arguments, listening, answers):
    if program == "receiver.py":
        return [str(listening), *arguments]
    return [*arguments, str(listening), str(answers)]


def _clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
