"""A real gunicorn, started for a test and asked by it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Gunicorn:
    """A real gunicorn, with what it wrote."""

    def __init__(self, folder, endpoint, options, app, env):
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", app, "--bind", "127.0.0.1:0"),
                    *("--worker-class", "aiohttp.GunicornWebWorker", *options),
                ],
                stdout=out,
                stderr=err,
                cwd=HERE,
                env=os.environ
                | {
                    "HOME": str(folder),  # of gunicorn's control socket
                    "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
                    "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
                    "OTEL_BLRP_SCHEDULE_DELAY": "50",
                    "OTEL_BSP_SCHEDULE_DELAY": "50",
                    **env,
                },
            )
        self.address = self.said(r"Listening at: http://([\d.]+):(\d+)").groups()
        self.said(r"Booting worker")

    def said(self, pattern, number=1):
        """Wait until gunicorn wrote *pattern* so often, and return the last match."""
        until = time.monotonic() + 30
        while True:
            found = list(re.finditer(pattern, self.err.read_text()))
            if len(found) >= number:
                return found[-1]
            assert time.monotonic() < until, self.err.read_text()
            assert self._process.poll() is None, self.err.read_text()
            time.sleep(0.02)

    def get(self, path="/"):
        """Return (body, request's id) of an answer."""
        until = time.monotonic() + 20
        answer = self._get(path)
        while answer is None:  # a worker is just coming or going
            assert time.monotonic() < until
            time.sleep(0.05)
            answer = self._get(path)
        return answer

    def _get(self, path):
        url = f"http://{':'.join(self.address)}{path}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.read().decode(), answer.headers["X-Request-ID"]
        except urllib.error.HTTPError as error:
            return error.read().decode(), error.headers["X-Request-ID"]
        except OSError:
            return None

    def send(self, data):
        """Return the request's id in the answer to *data*."""
        with socket.create_connection(self.address, timeout=20) as connection:
            connection.sendall(data)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return re.search(rb"X-Request-ID: (\S+)", answer).group(1).decode()

    def reload(self):
        self._process.send_signal(signal.SIGHUP)

    def stop(self):
        """Return the seconds that it took, at most 30."""
        began = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
        return time.monotonic() - began
