"""What is printed, and in which colours."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

WIDEST = 110
_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "shop": "36",
    "stock": "35",
    "ERROR": "31",
    "WARNING": "33",
    "INFO": "32",
}


@dataclass(frozen=True)
class Terminal:
    out: TextIO
    color: bool
    width: int

    def print(self, *lines: str) -> None:
        """Write *lines* at once, so that nothing comes between them."""
        self.out.write("".join(f"{line}\n" for line in lines))
        self.out.flush()

    def paint(self, style: str, text: str) -> str:
        code = _CODES.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if code and self.color else text

    def rule(self, title: str) -> str:
        """Return *title* as a heading over the whole width."""
        line = "─" * max(3, self.width - len(title) - 4)
        return f"{self.paint('dim', '──')} {self.paint('bold', title)} " + self.paint(
            "dim", line
        )

    def service(self, name: str) -> str:
        return self.paint(name, f"{name:<5}")


def terminal(*, color: bool | None) -> Terminal:
    """Return the standard output; *color* None leaves it to what that is."""
    # A terminal that cannot show a character gets "?" and no error.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="replace")
    if color is None:
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = min(shutil.get_terminal_size((100, 30)).columns, WIDEST)
    return Terminal(sys.stdout, color, width)
