"""
Check 6: VictoriaLogs' own page, in a browser, shows the lines of one trace.
"""

from __future__ import annotations

import asyncio
import re
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from stack_check.browser import document
from stack_check.links import page_url
from stack_check.truth import expected_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stack_check.ground import Ground
    from stack_check.load import Request
    from stack_check.report import Report

WANTED = ("failing", "slow")
"""Scenarios whose lines come from both services, with all severities."""


async def check_page(
    report: Report, ground: Ground, requests: Sequence[Request]
) -> None:
    """
    The page that Jaeger's link opens has each line of the trace, and no other's.

    The lines of *requests* have been seen in the store.
    """
    shown = [
        next(request for request in requests if request.sent.scenario.name == name)
        for name in WANTED
    ]
    with report.row(6, "VictoriaLogs' page in Chromium: one trace's lines") as row:
        good = wanted = 0
        for request in shown:
            url = page_url(ground.model, request.trace_id)
            text = visible(await asyncio.to_thread(document, url))
            wrong = _wrong_in(request, text, [r for r in requests if r is not request])
            row.none_of(wrong)
            wanted += expected_lines(request).total()
            good += expected_lines(request).total() if not wrong else 0
        row.all_of(good, wanted, "lines shown")
        row.count(f"{len(shown)} traces, and none of {len(requests) - 1} others")


def _wrong_in(request: Request, text: str, others: list[Request]) -> list[str]:
    wrong = []
    for line, count in expected_lines(request).items():
        shown = text.count(line.message)
        if shown != count:
            wrong.append(f"{request}: {line.message!r} is shown {shown} times")
    total = re.search(r"Total logs returned:\s*(\d+)", text)
    wanted = expected_lines(request).total()
    if not total or int(total[1]) != wanted:
        found = total[1] if total else "nothing"
        wrong.append(f"{request}: the page says {found}, not {wanted} lines")
    wrong += [f"{other} is shown" for other in others if str(other.sent.number) in text]
    return wrong


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, _: object) -> None:
        self._hidden += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)


def visible(page: str) -> str:
    """
    Return the text of *page*, without its scripts and styles.
    """
    parser = _Text()
    parser.feed(page)
    return unescape(" ".join(parser.texts))
