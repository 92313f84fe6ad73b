"""A process that ends without closing its exporter, and one that forks."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import logging, os, sys, threading, time
sys.path.insert(0, {tests!r})
from export.records import flat_log, flat_span, settings
from otel_aiohttp_logs.export.exporter import Exporter

logging.basicConfig(level=logging.DEBUG, format="%(name)s %(levelname)s %(message)s")
changes = {changes!r}
exporter = Exporter(
    resource=lambda: {{"service.name": "shop", "process.pid": os.getpid()}},
    traces=settings("TRACES", {endpoint!r}, **changes),
    logs=settings("LOGS", {endpoint!r}, **changes),
)
exporter.start()
"""


async def run(endpoint: str, program: str, **changes) -> tuple[int, float, str]:
    """
    Run *program* with an exporter to *endpoint*, and return how it ended.

    That's its status, the seconds from when it printed ``bye`` to its end, and what
    we wrote to standard error.
    """
    tests = Path(__file__).parent.parent
    head = PROGRAM.format(tests=str(tests), endpoint=endpoint, changes=changes)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-X",
        "dev",
        "-W",
        "error",
        "-c",
        head + program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        began = time.monotonic()
        assert line == b"bye\n", (await process.stderr.read()).decode()
        errors = (await asyncio.wait_for(process.stderr.read(), 20)).decode()
        await asyncio.wait_for(process.wait(), 5)
        took = time.monotonic() - began
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    ours = [line for line in errors.splitlines() if not line.startswith("asyncio ")]
    return process.returncode, took, "\n".join(ours)


SEND = """
for number in range(600):
    exporter.emit_log(flat_log(str(number)))
    exporter.emit_span(flat_span())
print("bye", flush=True)
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("end", ["sys.exit(3)", "raise SystemExit(3)", "exit(3)"])
async def test_exit(collector, end, host):
    """What waits when the interpreter exits arrives, also where a name is looked up."""
    endpoint = collector.endpoint.replace("127.0.0.1", host)
    status, took, errors = await run(endpoint, SEND + end, delay=60, batch_size=1000)

    assert (status, errors) == (3, "")
    assert took < 4
    await collector.wait_for_logs(600)
    await collector.wait_for_spans(600)


async def test_exit_by_an_error(collector):
    """So it does when the program dies of an exception."""
    end = "raise LookupError"
    status, _, errors = await run(collector.endpoint, SEND + end, delay=60)

    assert status == 1
    assert errors.endswith("LookupError")
    await collector.wait_for_logs(600)


async def test_exit_with_a_hanging_collector(collector):
    """A Collector that hangs holds the exit up for five seconds, and not longer."""
    collector.hang_next(times=100)
    status, took, errors = await run(collector.endpoint, SEND, delay=60)

    assert status == 0
    assert 3 < took < 6
    assert "WARNING 600 logs could not be sent" in errors
    assert "WARNING 600 spans could not be sent" in errors
    assert "Traceback" not in errors


async def test_exit_with_nobody_there(free_port):
    """Where nobody listens the exit is not held up at all."""
    endpoint = f"http://127.0.0.1:{free_port}"
    status, took, errors = await run(endpoint, SEND, delay=60)

    assert status == 0
    assert took < 2
    assert "600 logs could not be sent" in errors


async def test_exit_with_nobody_at_the_default_endpoint(free_port):
    """At the default endpoint there's one line at most."""
    endpoint = f"http://127.0.0.1:{free_port}"
    status, took, errors = await run(endpoint, SEND, delay=60, is_default=True)

    assert status == 0
    assert took < 2
    assert len(errors.splitlines()) == 1
    assert "INFO No Collector at" in errors


async def test_exit_after_close(collector):
    """A closed exporter has nothing left to do at the exit."""
    program = SEND + "exporter.close(); exporter.emit_log(flat_log())"
    status, took, errors = await run(collector.endpoint, program, delay=60)

    assert (status, errors) == (0, "")
    assert took < 4
    await collector.wait_for_logs(600)


async def test_exit_while_threads_emit(collector):
    """Daemon threads that go on emitting don't disturb the exit."""
    program = """
def emit():
    while True:
        exporter.emit_log(flat_log())
        time.sleep(0.001)

for _ in range(3):
    threading.Thread(target=emit, daemon=True).start()
time.sleep(0.3)
print("bye", flush=True)
"""
    status, took, errors = await run(collector.endpoint, program, batch_size=5)

    assert (status, errors) == (0, "")
    assert took < 4
    assert len(collector.logs) > 50


async def test_no_descriptors_left(free_port):
    """Where no thread can be started the program goes on, and is told so."""
    program = """
import resource
exporter.close()
exporter = Exporter(
    resource={},
    traces=settings("TRACES", "http://127.0.0.1:1"),
    logs=settings("LOGS", "http://127.0.0.1:1"),
)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
exporter.start()
for _ in range(3000):
    exporter.emit_log(flat_log())
assert not exporter.flush(1)
assert exporter.stats().logs.dropped == {"queue_full": 3000 - 2048}
exporter.close()
assert exporter.stats().logs.dropped == {"queue_full": 952, "shutdown": 2048}
print("bye", flush=True)
"""
    status, _, errors = await run(f"http://127.0.0.1:{free_port}", program)

    assert status == 0
    assert "Nothing can be exported" in errors
    ours = [line for line in errors.splitlines() if line.startswith("otel_aiohttp")]
    assert len(ours) == 2


FORK = """
exporter.emit_log(flat_log("parent, before"))
child = os.fork()
if child == 0:
    assert exporter.thread_id is None
    assert exporter.stats().logs.emitted == 0
    for number in range(100):
        exporter.emit_log(flat_log(f"child {number}"))
    assert exporter.thread_id is not None
    sys.exit(exporter.stats().logs.emitted != 100)
exporter.emit_log(flat_log("parent, after"))
_, status = os.waitpid(child, 0)
assert status == 0, status
assert exporter.stats().logs.emitted == 2
print("bye", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("delay", [0.05, 60])
async def test_fork(collector, delay):
    """
    A forked child sends its own records, with a thread of its own, and the parent
    sends its own, each once.
    """
    status, _, errors = await run(collector.endpoint, FORK, delay=delay)

    assert (status, errors) == (0, "")
    logs = await collector.wait_for_logs(102)
    bodies = [log.body for log in logs]
    assert [b for b in bodies if b.startswith("child")] == [
        f"child {number}" for number in range(100)
    ]
    assert [b for b in bodies if b.startswith("parent")] == [
        "parent, before",
        "parent, after",
    ]
    assert len({log.resource["process.pid"] for log in logs}) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
async def test_fork_in_the_middle_of_sending(collector):
    """Children that are forked under load neither hang nor disturb the parent."""
    program = """
def emit():
    for number in range(2000):
        exporter.emit_log(flat_log("parent"))
        if number % 50 == 0:
            time.sleep(0.001)

thread = threading.Thread(target=emit)
thread.start()
children = []
for _ in range(10):
    child = os.fork()
    if child == 0:
        exporter.emit_log(flat_log("child"))
        exporter.close()
        os._exit(exporter.stats().logs.exported != 1)
    children.append(child)
    time.sleep(0.01)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 10
thread.join()
print("bye", flush=True)
"""
    if sys.version_info >= (3, 12):
        program = "import warnings; warnings.simplefilter('ignore')\n" + program
    options = {"queue_size": 10_000, "batch_size": 20}
    status, _, errors = await run(collector.endpoint, program, **options)

    assert (status, errors) == (0, "")
    logs = await collector.wait_for_logs(2010)
    assert sum(log.body == "child" for log in logs) == 10
