"""
Check 3: each query of Grafana's provisioning and of Jaeger's links, run as worded.

They are sent from inside of the stack, to the very URLs that are provisioned, and have
to give the lines of one trace: which those are is known from the request.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from stack_check.ground import LOGS, published
from stack_check.links import EXPLORE, LINES_PAGE, links
from stack_check.provisioning import PLUGIN, Provisioning, objects, read_provisioning
from stack_check.truth import expected_lines, line_of, lines_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack_check.ask import StoredSpan, Stores
    from stack_check.ground import Ground, Model
    from stack_check.load import Request
    from stack_check.report import Report, Row

MINUTES_10 = 600
QUERY = "/select/logsql/query"


@dataclass(frozen=True)
class Asked:
    """One request of the shop, whose lines each query has to give."""

    fetch: Callable[[str], str]
    request: Request
    spans: list[StoredSpan]
    found: Provisioning
    model: Model
    now: int

    def get(self, url: str, **params: object) -> str:
        return self.fetch(f"{url}?{urlencode(params)}" if params else url)

    def ask_lines(
        self, row: Row, what: str, query: str, span: StoredSpan | None = None
    ) -> None:
        """
        Run *query* as the plugin would; it has to give the lines of *span*, or all.
        """
        if "$" in query:
            row.wrong.append(f"{what}: there is no such variable: {query}")
            return
        url = self.found.source(PLUGIN)["url"] + QUERY
        start, end = self.now - MINUTES_10, self.now + 60
        text = self.get(url, query=query, limit=500, start=start, end=end)
        got = Counter(line_of(json.loads(line)) for line in text.splitlines())
        wanted = (
            lines_in(self.request, span.service, span.kind)
            if span
            else expected_lines(self.request)
        )
        row.expect(
            got == wanted,
            f"{what}: {got.total()} lines and not the {wanted.total()} of the request "
            f"for {query}",
        )
        row.count(f"{what} {got.total()}")

    def filled(self, query: str, span_id: str = "") -> str:
        """
        Fill in what Grafana and the plugin do: «All» becomes in(*), a choice a list.
        """
        values = {
            "${__trace.traceId}": self.request.trace_id,
            "${__span.spanId}": span_id,
            "in($service)": "in(*)",
            "in($trace_id)": f'in("{self.request.trace_id}")',
        }
        for variable, value in values.items():
            query = query.replace(variable, value)
        return query


async def check_grafana(
    report: Report, ground: Ground, request: Request, spans: list[StoredSpan]
) -> None:
    await asyncio.to_thread(_check, report, ground, request, spans)


async def check_grafana_itself(report: Report, ground: Ground, stores: Stores) -> None:
    """
    Ask the running Grafana for the health of its data sources, and for its dashboards.
    """
    at = f"http://127.0.0.1:{published(ground.model)['grafana', 3000]}"
    found = read_provisioning(ground.model)
    with report.row(3, "Grafana itself: its data sources are healthy") as row:
        good = 0
        for uid in found.sources:
            url = f"{at}/api/datasources/uid/{uid}/health"
            async with stores.session.get(url) as answer:
                said = json.loads(await answer.text())
            row.expect(said.get("status") == "OK", f"{uid}: {said}")
            good += said.get("status") == "OK"
        row.all_of(good, len(found.sources), "data sources")
        for board in found.boards:
            url = f"{at}/api/dashboards/uid/{board['uid']}"
            async with stores.session.get(url) as answer:
                row.expect(answer.ok, f"{board['title']}: {answer.status}")


def _check(
    report: Report, ground: Ground, request: Request, spans: list[StoredSpan]
) -> None:
    with ground.inside() as fetch:
        found = read_provisioning(ground.model)
        asked = Asked(fetch, request, spans, found, ground.model, int(time.time()))
        with report.row(
            3, "Grafana's data sources: what they ask, and their links"
        ) as row:
            row.none_of(found.problems)
            _jaeger_source(row, asked)
            _lines_source(row, asked)
        with report.row(3, "Grafana's dashboard: each query, as worded") as row:
            for board in found.boards:
                _variables(row, asked, board)
                for panel in board["panels"]:
                    _panel(row, asked, panel)
            row.expect(found.boards, "there is no dashboard")
        with report.row(3, "Jaeger's links, as worded") as row:
            _links(row, asked)


def _jaeger_source(row: Row, asked: Asked) -> None:
    source = asked.found.source("jaeger")
    url, trace_id = source["url"], asked.request.trace_id
    services = json.loads(asked.get(f"{url}/api/services"))["data"]
    row.expect({"shop", "stock"} <= set(services), f"services: {services}")
    trace = json.loads(asked.get(f"{url}/api/traces/{trace_id}"))["data"][0]
    row.expect(len(trace["spans"]) == len(asked.spans), "the trace by its id")
    end = asked.now * 10**6
    window = {"start": end - MINUTES_10 * 10**6, "end": end + 60 * 10**6}
    search = {"service": "shop", "limit": 20, "lookback": "custom", **window}
    row.expect(
        json.loads(asked.get(f"{url}/api/traces", **search))["data"], "the search"
    )
    row.count("Jaeger: services, search, trace")
    link = source["jsonData"]["tracesToLogsV2"]
    target = asked.found.sources[link["datasourceUid"]]
    row.expect(target["type"] == PLUGIN, "span -> its lines: not to VictoriaLogs")
    for span in asked.spans:
        if span.kind in {"server", "internal"}:
            query = asked.filled(link["query"], span.span_id)
            what = f"{span.kind} span of {span.service} -> its lines"
            asked.ask_lines(row, what, query, span)


def _lines_source(row: Row, asked: Asked) -> None:
    source = asked.found.source(PLUGIN)
    row.expect(
        asked.get(source["url"] + QUERY, query="*", limit=1, start="-5m"), "health"
    )
    port = urlsplit(source["jsonData"]["vmuiUrl"]).port
    wanted = asked.model["services"][LOGS]["ports"][0]["published"]
    row.expect(str(port) == wanted, f"vmuiUrl has the port {port}, not {wanted}")
    by_label = 0
    for field in source["jsonData"]["derivedFields"]:
        target = asked.found.sources[field["datasourceUid"]]
        right = target["type"] == "jaeger" and field["url"] == "${__value.raw}"
        row.expect(right, f"line -> trace: {field}")
        if field["matcherType"] == "label":
            by_label += 1
            query = f'{field["matcherRegex"]}:="{asked.request.trace_id}"'
            asked.ask_lines(row, "line -> its trace", query)
        else:
            line = json.dumps({"trace_id": asked.request.trace_id})
            found = re.search(field["matcherRegex"], line)
            row.expect(found and found[1] == asked.request.trace_id, f"line: {field}")
    row.expect(by_label, "no link from a line's field to its trace")


def _variables(row: Row, asked: Asked, board: dict[str, Any]) -> None:
    url = asked.found.source(PLUGIN)["url"] + "/select/logsql/field_values"
    window = {"start": asked.now - MINUTES_10, "end": asked.now + 60}
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            query = variable["query"]
            text = asked.get(url, query=query["query"], field=query["field"], **window)
            values = {value["value"] for value in json.loads(text)["values"]}
            right = {"shop", "stock"} <= values
            row.expect(right, f"${variable['name']}: {values}")
            row.count(f"${variable['name']} {len(values)}")


def _panel(row: Row, asked: Asked, panel: dict[str, Any]) -> None:
    title = panel["title"].partition(":")[0]
    for target in panel["targets"]:
        query = asked.filled(target["expr"])
        if target["queryType"] == "instant":
            asked.ask_lines(row, title, query)
            continue
        row.expect(target["queryType"] == "statsRange", f"{title}: {target}")
        url = asked.found.source(PLUGIN)["url"] + "/select/logsql/stats_query_range"
        window = {"start": asked.now - MINUTES_10, "end": asked.now + 60}
        series = json.loads(asked.get(url, query=query, step="15s", **window))["data"]
        labels = re.findall(r"\{\{(.+?)\}\}", target["legendFormat"])
        names = {
            one["metric"].get(label) for one in series["result"] for label in labels
        }
        named = bool(names) and all(names)
        row.expect(named, f"{title}: the legend has {names}")
        row.count(f"{title} {len(names)}")


def _links(row: Row, asked: Asked) -> None:
    services = asked.model["services"]
    urls = links(asked.model, asked.request.trace_id)
    paths = Counter(urlsplit(url).path for url in urls.values())
    row.expect(paths == {LINES_PAGE: 1, EXPLORE: 1}, f"links to {dict(paths)}")
    for text, link in urls.items():
        url = urlsplit(link)
        service = LOGS if url.path == LINES_PAGE else "grafana"
        port = services[service]["ports"][0]["published"]
        row.expect(str(url.port) == port, f"{text}: port {url.port}, not {port}")
        if service == LOGS:
            page = asked.get(asked.found.source(PLUGIN)["url"] + url.path)
            row.expect("<html" in page, f"{text}: no page at {url.path}")
            query = parse_qs(url.fragment.partition("?")[2])["query"][0]
            asked.ask_lines(row, text, query)
            continue
        panes = json.loads(parse_qs(url.query)["panes"][0])
        queries = [item for item in objects(panes) if "expr" in item]
        row.expect(queries, f"{text}: no query")
        for item in queries:
            source = asked.found.sources.get(item["datasource"]["uid"], {})
            right = source.get("type") == item["datasource"]["type"] == PLUGIN
            row.expect(right, f"{text}: {item['datasource']}")
            asked.ask_lines(row, text, item["expr"])
