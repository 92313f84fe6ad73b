"""
A copy of ``scripts/backends`` in surroundings that a test lays out.

Where a test needs Go, Docker or ``df`` to say something special, a small program of
that name on the copy's PATH says it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from backend_found import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = """
awk bash cat chmod cp df dirname env grep head mkdir mktemp mv rm sed sleep tail
""".split()  # noqa: SIM905 (readable)

STORE = "victoria-logs"
VERSION = "1.52.1"
COMPOSE = f"""
services:
  victoria-logs: {{image: "${{LOGS_IMAGE:-victoriametrics/victoria-logs:v{VERSION}}}"}}
  jaeger: {{image: "jaegertracing/jaeger:2.13.0"}}
  collector: {{image: "otel/opentelemetry-collector-contrib:0.999.0"}}
"""

PROGRAM = f"#!/usr/bin/env bash\necho victoria-logs-v{VERSION}\n"

# Writes down each build, and builds a program that tells its version.
GO = f"""#!/usr/bin/env bash
case "$1 $2" in
"env GOVERSION") echo "${{GO_SAYS:-go1.26.8}}" ;;
"env "*) echo "$HOME/go" ;;
"build "*)
  echo "$$" >>"$HOME/builds"
  sleep "${{GO_TAKES:-0}}"
  [ -z "${{GO_FAILS:-}}" ] || {{ echo "$GO_FAILS" >&2; exit 1; }}
  while [ "$1" != -o ]; do shift; done
  printf '%s\\n' '#!/usr/bin/env bash' 'echo victoria-logs-v{VERSION}' >"$2"
  chmod +x "$2"
  ;;
esac
"""

DOCKER = f"""#!/usr/bin/env bash
case "$1 $2" in
"image inspect") [ "$3" = victoriametrics/victoria-logs:v{VERSION} ] ;;
"create "*) echo a-container ;;
"cp "*) [ "$2" = a-container:/victoria-logs-prod ] && cp "$HOME/in-image" "$3" ;;
"rm "*) echo "$2" >>"$HOME/removed" ;;
*) exit 1 ;;
esac
"""

DF = """#!/usr/bin/env bash
echo Filesystem 1024-blocks Used Available Capacity Mounted on
echo /dev/a 9000000 7976000 1024000 89% /
"""


class Place:
    """A copy of the script, a cache, a home and a PATH that only a test knows."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.cache = folder / "a cache"
        self.home = folder
        scripts = folder / "scripts"
        shutil.copytree(ROOT / "scripts" / "backends.d", scripts / "backends.d")
        shutil.copy(ROOT / "scripts" / "backends", scripts)
        (folder / "docker-compose.yml").write_text(COMPOSE)
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        (self.bin / "python3").symlink_to(sys.executable)
        self.cached = self.cache / f"{STORE}-{VERSION}" / STORE

    def put(self, name: str, content: str) -> None:
        program(self.bin / name, content)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.home / "scripts" / "backends"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                "PATH": str(self.bin),
                "HOME": str(self.home),
                "OTEL_AIOHTTP_LOGS_CACHE": str(self.cache),
                **environ,
            },
            start_new_session=True,
        )

    def run(self, *arguments: str, **environ: str) -> tuple[int, str, str]:
        return ended(self.start(*arguments, **environ))

    def builds(self) -> int:
        built = self.home / "builds"
        return len(built.read_text().splitlines()) if built.exists() else 0

    def leftovers(self) -> list[str]:
        return [path.name for path in self.cache.glob("*.scratch.*")]


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def program(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
