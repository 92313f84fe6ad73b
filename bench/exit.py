"""
How long the process takes to end while the Collector is dead, or hangs.

    python bench/exit.py

Dead: nobody listens on the port. Hanging: connections are accepted and never answered.
The service gets requests for a moment and is then asked to end (SIGTERM). All cases
run side by side, for most of what is measured is waiting. Printed is also what was
lost, which is all there was, and the last that was said of it.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

from parts.load import as_fast_as_it_goes
from parts.processes import service

VARIANTS = ("ours", "ours-sdk", "upstream")
PATIENCE = 120
WIDTH = 100


def dead_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def hanging_port():
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listening,), daemon=True).start()
    return listening.getsockname()[1]


def _accept(listening):
    held = []
    while True:
        held.append(listening.accept())


def measure(variant, collector, port):
    with tempfile.TemporaryFile("w+") as output:
        url = f"http://127.0.0.1:{port}"
        with service(variant, url, output=output) as process:
            begun = as_fast_as_it_goes(process.port, "/orders/4", 0.01)
            more = as_fast_as_it_goes(process.port, "/orders/4", 0.5)
            took = process.end(PATIENCE)
        output.seek(0)
        said = [line for text in output if (line := about_exporting(text))]
    seconds = f"over {PATIENCE}" if took is None else f"{took:.1f}"
    requests = len(begun.latencies) + len(more.latencies)
    lost = f"{requests} spans, {requests * 5} lines"
    print(f"{variant:<9} {collector:<8}{seconds:>9}  {lost:<26}{len(said):>5}")
    return f"{variant}, {collector}: {said[-1][:WIDTH] if said else 'nothing'}"


def about_exporting(text):
    """Return what a line of output says, if it's about exporting."""
    if text.startswith("{"):
        line = json.loads(text)
        ours = line["logger"].startswith(("otel_aiohttp_logs", "opentelemetry"))
        return line["message"] if ours else None
    if "[opentelemetry" not in text and "export" not in text:
        return None
    return text.rpartition(" - ")[2].strip()


def main():
    print(f"{'variant':<9} {'Collector':<9}{'seconds':>8}  {'lost':<26}{'said':>5}")
    with ThreadPoolExecutor() as pool:
        running = [
            pool.submit(measure, variant, collector, port)
            for collector, port in (("dead", dead_port()), ("hangs", hanging_port()))
            for variant in VARIANTS
        ]
        endings = [case.result() for case in running]
    print("\nThe last that was said:")
    print("\n".join(endings))


if __name__ == "__main__":
    main()
