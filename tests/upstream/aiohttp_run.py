"""aiohttp's own tests, run in processes of their own with a plugin of ours or none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TIMEOUT = 300
# As aiohttp's own pytest.ini has it.
_SELECTED = "not dev_mode and not autobahn and not internal"


class Comparison(NamedTuple):
    plain: Mapping[str, str]
    """How each test ended without us, by its name."""
    ours: Mapping[str, str]
    output: str
    """What pytest said of the tests that ended differently."""

    @property
    def different(self) -> dict[str, tuple[str | None, str | None]]:
        """The tests that end differently: without and with us."""
        names = self.plain.keys() | self.ours.keys()
        pairs = {name: (self.plain.get(name), self.ours.get(name)) for name in names}
        return {name: pair for name, pair in sorted(pairs.items()) if len({*pair}) > 1}


def compare(
    aiohttp: Path,
    tests: Sequence[str],
    plugin: str,
    scratch: Path,
    env: Mapping[str, str],
) -> Comparison:
    """
    Run *tests* of the folder *aiohttp* without and with *plugin*, at the same time.

    What ends differently is run once more, without any haste: a test that depends on
    the machine's load isn't a difference.
    """
    found = _both(aiohttp, tests, plugin, scratch, env)
    if not 0 < len(found.different) <= 40:
        return found
    names = list(found.different)
    again = _both(aiohttp, names, plugin, scratch, env)
    plain, ours = {**found.plain, **again.plain}, {**found.ours, **again.ours}
    return Comparison(plain, ours, again.output)


def _both(
    aiohttp: Path,
    tests: Sequence[str],
    plugin: str,
    scratch: Path,
    env: Mapping[str, str],
) -> Comparison:
    scratch.mkdir(exist_ok=True)
    plain = _Run(aiohttp, tests, (), scratch / "plain", env)
    ours = _Run(aiohttp, tests, (plugin,), scratch / "ours", env)
    return Comparison(plain.outcomes(), ours.outcomes(), ours.output())


class _Run:
    def __init__(
        self,
        aiohttp: Path,
        tests: Sequence[str],
        plugins: Sequence[str],
        scratch: Path,
        env: Mapping[str, str],
    ) -> None:
        self._results = scratch.with_suffix(".json")
        self._results.unlink(missing_ok=True)
        self._output = scratch.with_suffix(".log")
        named = [arg for plugin in plugins for arg in ("-p", plugin)]
        path = os.pathsep.join([str(HERE), str(ROOT), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-p", "pytest_mock", "-p", "plugin_results", *named]
        command += ["-c", str(HERE / "aiohttp.ini"), f"--rootdir={aiohttp}"]
        # Fast: without a garbage collection after each test, five sixths of the time.
        command += ["--aiohttp-fast", "-m", _SELECTED, "--tb=short", *tests]
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                command,
                cwd=aiohttp,
                env={
                    **os.environ,
                    **env,
                    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                    "PYTEST_ADDOPTS": "",
                    "PYTHONPATH": path,
                    "RESULTS": str(self._results),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def outcomes(self) -> dict[str, str]:
        try:
            self._process.wait(TIMEOUT)
        finally:
            self._process.kill()
        assert self._results.exists(), self.output()
        return json.loads(self._results.read_text())

    def output(self) -> str:
        return self._output.read_text()[-20_000:]
