"""
``scripts/pictures``: what can be seen of the stack, taken by a real browser.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from stack_check.ask import open_stores, until
from stack_check.backends import cache, programs
from stack_check.browser import screenshot
from stack_check.compose import find_compose
from stack_check.drawings import CODE, console_page, waterfall_page
from stack_check.ground import ROOT, InTheWayError
from stack_check.kept import Made, only_run
from stack_check.links import page_url
from stack_check.load import open_shop
from stack_check.ports import check_ports
from stack_check.processes import Processes
from stack_check.report import say
from stack_check.shell import CommandError

if TYPE_CHECKING:
    from stack_check.ask import StoredSpan

FOLDER = ROOT / "demo" / "pictures"
SPANS, LINES = 4, 8
"""Of the trace that is shown: a payment that fails."""
MOST_LINES = 28
ERROR = re.compile(r"\w+Error: ")
WIDTH, WIDEST = 1100, 1340


def main() -> int:
    try:
        with only_run(cache()), ExitStack() as at_exit:
            run = tempfile.mkdtemp(prefix="pictures.")
            made = Made(str(Path(run) / "made.json"), run=run)
            at_exit.callback(made.take_away)
            model = find_compose().model()
            check_ports(model, without=("grafana",))
            ground = Processes(model, programs(), made, "for pictures")
            ground.up()
            say("the stack is up")
            asyncio.run(_take(ground, Path(run)))
    except (InTheWayError, CommandError) as exc:
        print(f"scripts/pictures: {exc}", file=sys.stderr)
        return 2
    return 0


async def _take(ground: Processes, run: Path) -> None:
    FOLDER.mkdir(exist_ok=True)
    at = ground.addresses
    async with open_stores(at) as stores, open_shop(at.shop) as shop:
        await shop.at_once(12)  # so that lines interleave
        async with stores.session.get(f"{at.traffic}/run/failing") as answer:
            told = json.loads(await answer.text())["requests"][0]
        trace_id = told["trace_id"]
        spans: list[StoredSpan] = []

        async def there() -> bool:
            spans[:] = await stores.trace(trace_id)
            lines = await stores.lines(f'trace_id:="{trace_id}"', 0)
            return len(spans) == SPANS and len(lines) == LINES

        if not await until(there, 20):
            msg = f"the trace {trace_id} is not complete"
            raise CommandError(msg)
    shown = _last_lines(run / "shop.log")
    pages = {
        "console": (console_page(shown, "shop"), WIDEST, 575),
        "jaeger": (waterfall_page(spans, trace_id), WIDTH, 195),
    }
    for name, (html, width, height) in pages.items():
        page = run / f"{name}.html"
        page.write_text(html, encoding="utf-8")
        _picture(name, page.as_uri(), width, height)
    _picture("traffic", f"{at.traffic}/", WIDTH, 640)
    _picture("lines", page_url(ground.model, trace_id), WIDTH, 700)


def _picture(name: str, url: str, width: int, height: int) -> None:
    file = FOLDER / f"{name}.png"
    screenshot(url, file, width, height)
    say(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KiB")


def _last_lines(log: Path) -> list[str]:
    """
    Return lines that interleave around one that fails; of tracebacks the last line.

    The frames have the folders of whoever makes the pictures.
    """
    plain = CODE.sub("", text := log.read_text(encoding="utf-8"))
    shown = [
        line
        for line, words in zip(text.splitlines(), plain.splitlines(), strict=True)
        if words[:1].isdigit() or ERROR.search(words)
    ]
    failing = next(n for n, line in enumerate(shown) if "card refused" in line)
    return shown[max(0, failing - MOST_LINES // 2) :][:MOST_LINES]


if __name__ == "__main__":
    sys.exit(main())
