"""Lines for people."""

from __future__ import annotations

import logging


class ConsoleFormatter(logging.Formatter):
    """Formats for people."""
