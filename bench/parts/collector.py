"""The real Collector, with no more than an OTLP receiver, and what it says it took."""

from __future__ import annotations

import json
import random
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

BACKENDS = Path(__file__).parents[2] / "scripts" / "backends"
ACCEPTED = re.compile(r"^otelcol_receiver_accepted_log_records\S* (\S+)$", re.MULTILINE)
PATIENCE = 30


def find():
    """Return the path of its program, and else None and what to do about it."""
    said = subprocess.run(
        [str(BACKENDS), "--find", "collector"],
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode == 0:
        return said.stdout.split(maxsplit=2)[2].strip(), ""
    return None, said.stderr.strip() or f"{BACKENDS} --find: {said.returncode}"


class Collector:
    def __init__(self, port, metrics_port):
        self.url = f"http://127.0.0.1:{port}"
        self._metrics = f"http://127.0.0.1:{metrics_port}/metrics"

    def log_records(self):
        """Return how many it has accepted since it started, as its own metric says."""
        with urllib.request.urlopen(self._metrics, timeout=PATIENCE) as response:
            found = ACCEPTED.findall(response.read().decode())
        return int(sum(map(float, found)))


@contextmanager
def running(program):
    """Run it on free ports of loopback."""
    with tempfile.TemporaryDirectory() as folder:
        ports = _free_port(), _free_port()
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps(_config(*ports)))  # JSON is YAML
        said = Path(folder) / "collector.log"
        with said.open("w") as log:
            process = subprocess.Popen(
                [program, f"--config={config}"], stdout=log, stderr=log
            )
        try:
            collector = Collector(*ports)
            _wait(collector, process, said)
            yield collector
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _config(port, metrics_port):
    http = {"endpoint": f"127.0.0.1:{port}"}
    prometheus = {"host": "127.0.0.1", "port": metrics_port}
    reader = {"pull": {"exporter": {"prometheus": prometheus}}}
    return {
        "receivers": {"otlp": {"protocols": {"http": http}}},
        "exporters": {"debug": {"verbosity": "basic", "sampling_initial": 1}},
        "service": {
            "pipelines": {"logs": {"receivers": ["otlp"], "exporters": ["debug"]}},
            "telemetry": {"metrics": {"readers": [reader]}},
        },
    }


def _wait(collector, process, said):
    until = time.monotonic() + PATIENCE
    while not _answers(collector):
        if time.monotonic() > until or process.poll() is not None:
            raise RuntimeError(said.read_text()[-2000:])
        time.sleep(0.1)


def _answers(collector):
    try:
        collector.log_records()
    except OSError:
        return False
    return True


def _free_port():
    """Return a port below those that the system takes for outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
