"""
Pages for pictures: a terminal's lines, and a trace as Jaeger's query API answers it.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stack_check.ask import StoredSpan

CODE = re.compile(r"\x1b\[([\d;]*)m")
NAMED = {
    "31": "#ff6b60",
    "32": "#7ec699",
    "33": "#e5b567",
    "36": "#66c2cd",
    "37": "#ffffff",
}
CUBE = (0, 95, 135, 175, 215, 255)
MS = 1_000_000

CONSOLE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #16181d; color: #d8dbe2 }}
header {{ background: #262a33; color: #9aa3b2; padding: 7px 14px;
  font: 13px system-ui }}
pre {{ margin: 0; padding: 12px 14px; font: 13px/1.42 "DejaVu Sans Mono", monospace }}
</style><header>{title}</header><pre>{lines}</pre>"""

WATERFALL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 14px 20px; background: #fff; color: #222;
  font: 14px/1.4 system-ui, "DejaVu Sans", sans-serif }}
h1 {{ font-size: 16px; margin: 0 0 4px }} p {{ margin: 0 0 10px; color: #666 }}
table {{ border-collapse: collapse; width: 100% }}
td {{ padding: 4px 8px; border-top: 1px solid #ddd; white-space: nowrap }}
td:last-child {{ width: 45%; position: relative }}
i {{ position: absolute; height: 14px; top: 7px; border-radius: 2px; min-width: 2px }}
b {{ color: #c0392b }}
</style><h1>{title}</h1><p>{about}</p><table>{rows}</table>"""
COLORS = {"shop": "#17839a", "stock": "#b7791f"}


def console_page(lines: Sequence[str], title: str) -> str:
    return CONSOLE.format(title=escape(title), lines="\n".join(map(_colored, lines)))


def _colored(line: str) -> str:
    """
    Return a line with a terminal's colour codes as HTML.
    """
    parts = CODE.split(line)
    html = [escape(parts[0])]
    style = ""
    for codes, text in zip(parts[1::2], parts[2::2], strict=True):
        style = _style(codes, style)
        html.append(f'<span style="{style}">{escape(text)}</span>' if text else "")
    return "".join(html)


def _style(codes: str, style: str) -> str:
    numbers = codes.split(";")
    if numbers in ([""], ["0"]):
        return ""
    if numbers[:2] == ["38", "5"]:
        return f"{style}color:{_color(int(numbers[2]))};"
    for number in numbers:
        if number == "1":
            style += "font-weight:bold;"
        elif number in NAMED:
            style += f"color:{NAMED[number]};"
    return style


def _color(number: int) -> str:
    """
    Return one of a terminal's 256 colours: 216 of a cube, then greys.
    """
    if number >= 232:
        level = 8 + 10 * (number - 232)
        return f"rgb({level},{level},{level})"
    red, rest = divmod(number - 16, 36)
    green, blue = divmod(rest, 6)
    return f"rgb({CUBE[red]},{CUBE[green]},{CUBE[blue]})"


def waterfall_page(spans: Sequence[StoredSpan], trace_id: str) -> str:
    """
    Draw what Jaeger answered: its own page is no part of a build from source.
    """
    rows = "".join(_rows(spans))
    about = "Jaeger's answer to /api/v3/traces/… , drawn by scripts/pictures"
    return WATERFALL.format(title=f"Trace {trace_id}", about=about, rows=rows)


def _rows(spans: Sequence[StoredSpan]) -> Iterator[str]:
    begin = min(span.start_ns for span in spans)
    whole = max(span.end_ns for span in spans) - begin
    for depth, span in _in_order(spans):
        left = 100 * (span.start_ns - begin) / whole
        width = 100 * (span.end_ns - span.start_ns) / whole
        status = span.attributes.get("http.response.status_code", "")
        mark = f"<b>{status} error</b>" if span.failed else status
        bar = f"left:{left:.1f}%;width:{width:.1f}%;background:{COLORS[span.service]}"
        yield (
            f"<tr><td style='padding-left:{8 + 22 * depth}px'>{span.service}</td>"
            f"<td>{escape(span.name)}</td><td>{span.kind}</td><td>{mark}</td>"
            f"<td>{(span.end_ns - span.start_ns) / MS:.1f} ms</td>"
            f"<td><i style='{bar}'></i></td></tr>"
        )


def _in_order(
    spans: Sequence[StoredSpan], parent: str | None = None, depth: int = 0
) -> Iterator[tuple[int, StoredSpan]]:
    """
    Yield each span below its parent, and how deep it is.
    """
    ids = {span.span_id for span in spans}
    for span in sorted(spans, key=lambda span: span.start_ns):
        top = parent is None and span.parent_id not in ids
        if top or span.parent_id == parent:
            yield depth, span
            yield from _in_order(spans, span.span_id, depth + 1)
