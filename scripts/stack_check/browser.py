"""
A real browser without a window: Chromium, installed where it is missing and we may.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

from stack_check.shell import call, install

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",  # needs user namespaces, which root in a container has not
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # The page's clock runs on as soon as nothing is being fetched.
    "--virtual-time-budget=15000",
)


def find_browser() -> str:
    """
    Return the browser's program; raises ``CommandError`` that says what to install.
    """
    for name in NAMES:
        if shutil.which(name):
            return name
    install({"chromium": "chromium"})
    return "chromium"


def document(url: str) -> str:
    """
    Return the document of *url* as HTML when its scripts have had their time.
    """
    return _run("--dump-dom", url)


def screenshot(url: str, picture: Path, width: int, height: int) -> None:
    size = f"--window-size={width},{height}"
    _run(size, f"--screenshot={picture}", "--force-device-scale-factor=1", url)


def _run(*words: str) -> str:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        data = f"--user-data-dir={profile}"
        return call([find_browser(), *FLAGS, data, *words], seconds=60)
