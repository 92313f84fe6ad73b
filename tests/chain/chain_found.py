"""What was seen of the requests: the Collector's spans and lines, put into trees."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from chain_kinds import FIELDS, Line, node

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT"}


class Found(NamedTuple):
    """All that carries the ids of one trace."""

    roots: list
    """One tree, if each span has its parent."""
    request_ids: set
    lost: int
    """Lines whose span isn't there."""


def found_by_trace(spans, lines):
    traces = defaultdict(lambda: ([], []))
    for span in spans:
        traces[span.trace_id][0].append(span)
    for line in lines:
        traces[line.trace_id][1].append(line)
    return {trace: _found(*both) for trace, both in traces.items()}


def _found(spans, lines):
    known = {span.span_id for span in spans}
    under, of_span = defaultdict(list), defaultdict(list)
    for span in spans:
        under[span.parent_id if span.parent_id in known else None].append(span)
    for line in lines:
        of_span[line.span_id].append(_line(line))

    def tree(span):
        attributes = span.attributes
        return node(
            span.resource["service.name"],
            KINDS[span.proto.kind],
            span.name,
            # Of an answer that nobody waited for any more the status says less.
            attributes.get("error.type", attributes.get("http.response.status_code")),
            *of_span[span.span_id],
            *map(tree, under[span.span_id]),
            resend_count=attributes.get("http.request.resend_count"),
        )

    served = [span for span in spans if span.proto.kind == 2]
    request_ids = {carrier.attributes.get("request_id") for carrier in lines + served}
    lost = sum(line.span_id not in known for line in lines)
    return Found(
        [tree(span) for span in under[None]],
        request_ids,
        lost,
    )


def _line(line):
    fields = {k: v for k, v in line.attributes.items() if k in FIELDS}
    message = line.body.removesuffix(" from 127.0.0.1")  # since aiohttp 3.12
    if line.scope == "aiohttp.access":
        message = f"{line.attributes['url.path']} {line.attributes['outcome']}"
    return Line(line.scope, message, tuple(sorted(fields.items())))
