"""``python -m otel_aiohttp_logs`` is the console script."""

from __future__ import annotations

import sys

from otel_aiohttp_logs.cli import main

sys.exit(main())
