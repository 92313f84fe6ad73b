"""
The links of Jaeger's page: which there are, and where they lead for a trace.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stack_check.ground import JAEGER

if TYPE_CHECKING:
    from stack_check.ground import Model

LINES_PAGE = "/select/vmui/"
EXPLORE = "/explore"


def links(model: Model, trace_id: str) -> dict[str, str]:
    """
    Return the URL of each link of Jaeger's page by its text, for one trace.
    """
    page = json.loads(model["services"][JAEGER]["environment"]["PAGE"])
    return {
        link["text"]: re.sub(r"#\{traceID[^}]*\}", trace_id, link["url"])
        for link in page["linkPatterns"]
    }


def page_url(model: Model, trace_id: str) -> str:
    """
    Return the link to the trace's lines on VictoriaLogs' own page.
    """
    urls = links(model, trace_id).values()
    return next(url for url in urls if urlsplit(url).path == LINES_PAGE)
