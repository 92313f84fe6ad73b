"""
What an application may put on a line that a log store cannot take as it is.

As a program: an instrumented application that logs each of them for a request to /.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from aiohttp import web

from otel_aiohttp_logs import instrument_app

MEGABYTES_3 = 3_000_000
LINES: dict[str, dict[str, Any]] = {
    "the name of a stream field": {"service.name": "mine"},
    "the same as a path": {"service": {"name": "mine"}},
    "the name of an id": {"trace_id": "mine", "span_id": "mine"},
    "names of the store's own": {"_time": "mine", "_stream": "mine", "_msg": "mine"},
    "the name of the severity": {"severity_text": "mine", "severity_number": 1},
    "a value of 3 MB": {"large": "ö" * (MEGABYTES_3 // 2)},
    "2,000 fields": {f"field_{number}": number for number in range(2000)},
    "2,000 fields in a map": {
        "map": {f"key_{number}": number for number in range(2000)}
    },
    "a map in a map in a map": {"a": {"b": {"c" * 60: {"d" * 60: {"e" * 60: 1}}}}},
    "a name of 500 characters": {"n" * 500: "mine"},
    "a name of 500 bytes": {"ö" * 250: "mine"},
    "a list of maps": {"list": [{"service.name": "mine"}, {"trace_id": "mine"}]},
    "an empty name": {"": "mine"},
}
OWN_VALUES = {
    "the name of a stream field": "extra.service.name",
    "the same as a path": "extra.service.name",
    "the name of an id": "extra.trace_id",
    "the name of the severity": "extra.severity_text",
}
"""Where the application's own value has to be found, for the names that are ours."""
MESSAGE_OF_3_MB = "a message of 3 MB"

log = logging.getLogger("hostile")


async def log_all(_: web.Request) -> web.Response:
    log.info("before")
    for kept, (message, fields) in enumerate(LINES.items()):
        log.info(message, extra={"kept": kept, **fields})
    log.info("%s %s", MESSAGE_OF_3_MB, "ö" * (MEGABYTES_3 // 2))
    log.info("after")
    return web.Response(text=str(len(LINES)))


def main() -> None:
    app = web.Application()
    app.router.add_get("/", log_all)
    instrument_app(app, output="none")
    port = int(os.environ["PORT"])
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
