"""A compiled part that is used in a wrong way says so, and crashes nothing."""

from __future__ import annotations

import logging
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from otel_aiohttp_logs._speed import native

pytestmark = pytest.mark.skipif(native is None, reason="nothing is compiled")


def test_objects_that_were_never_initialized():
    """They raise when they are used."""
    waiting = native.Waiting.__new__(native.Waiting)
    for call in (
        lambda: waiting.put(1),
        lambda: native.Begin.__new__(native.Begin)(object()),
        lambda: native.Responding.__new__(native.Responding)(1, 2),
    ):
        with pytest.raises(TypeError):
            call()
    waiting.room = 3
    with pytest.raises(TypeError):
        waiting.put(1)
    assert len(waiting) == 0
    assert waiting.take(5, 5) == []


def test_functions_before_they_are_configured():
    """They raise, or leave the record to Python."""
    spec = spec_from_file_location(native.__name__, native.__file__)
    fresh = module_from_spec(spec)
    spec.loader.exec_module(fresh)
    record = logging.makeLogRecord({})

    assert fresh is not native
    assert fresh.said(record) is None
    assert fresh.json_line(record, None) is None
    with pytest.raises(TypeError):
        fresh.plain([1])
    with pytest.raises(RuntimeError):
        fresh.make_record("a", 20, "", 1, "text", (), None)


INSIDE = """
import logging
from otel_aiohttp_logs import JSONFormatter
record = logging.makeLogRecord({"name": "a", "msg": "text", "tags": [1, {"b": None}]})
line = JSONFormatter().format(record)
assert '"tags":[1,{"b":null}]' in line, line
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="they have a lock of their own")
def test_interpreters_in_one_process():
    """Each interpreter of a process has its own, and may end before the others."""
    code = f"""
import _xxsubinterpreters as interpreters
for _ in range(3):
    one = interpreters.create()
    interpreters.run_string(one, {INSIDE!r})
    interpreters.destroy(one)
print("whole")
"""
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (shown.stdout, shown.returncode) == ("whole\n", 0), shown.stderr
