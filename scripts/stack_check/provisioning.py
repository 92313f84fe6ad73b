"""
Grafana's provisioning as Grafana reads it: its data sources, links and dashboards.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stack_check.ground import Model

PLUGIN = "victoriametrics-logs-datasource"
Json = dict[str, Any]


@dataclass(frozen=True)
class Provisioning:
    sources: dict[str, Json]
    """By their uid."""
    boards: list[Json]
    problems: list[str]

    def source(self, kind: str) -> Json:
        return next(s for s in self.sources.values() if s["type"] == kind)


def read_provisioning(model: Model) -> Provisioning:
    """
    Read the files that are mounted into Grafana's container, where it looks for them.
    """
    grafana = model["services"]["grafana"]
    mounts = {v["target"]: Path(v["source"]) for v in grafana["volumes"]}
    problems: list[str] = []
    listed: list[Json] = []
    boards: list[Json] = []
    for target, file in mounts.items():
        if "/provisioning/datasources/" in target:
            text = expanded(file.read_text(encoding="utf-8"), grafana["environment"])
            listed += yaml.safe_load(text)["datasources"]
        elif "/provisioning/dashboards/" in target:
            for provider in yaml.safe_load(file.read_text(encoding="utf-8"))[
                "providers"
            ]:
                folder = mounts.get(provider["options"]["path"], Path("/nowhere"))
                found = sorted(folder.glob("*.json"))
                boards += [
                    json.loads(path.read_text(encoding="utf-8")) for path in found
                ]
                if not found:
                    problems.append(f"no dashboard in {provider['options']['path']}")
    pinned = grafana["environment"].get("GF_PLUGINS_PREINSTALL_SYNC", "")
    if not re.fullmatch(rf"{PLUGIN}@\d+\.\d+\.\d+", pinned):
        problems.append(f"the plugin {PLUGIN} is not pinned: {pinned!r}")
    sources = {source["uid"]: source for source in listed}
    found_all = Provisioning(sources, boards, problems)
    problems += _dangling(found_all)
    return found_all


def expanded(text: str, environment: dict[str, str]) -> str:
    """
    Return *text* as Grafana expands it: $NAME and ${NAME} of its environment, $$ to $.

    What it does not know becomes nothing, which is how a forgotten $ shows itself.
    """

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return environment.get(found[1] or found[2], "")

    return re.sub(r"\$\$|\$\{([^}]*)\}|\$(\w+)", value, text)


def objects(value: object) -> Iterator[Json]:
    """
    Yield each object in a JSON value.
    """
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from objects(item)


def _dangling(found: Provisioning) -> Iterator[str]:
    """
    Say which reference leads to no data source, or to one of another type.
    """
    for uid, source in found.sources.items():
        for item in objects(source["jsonData"]):
            target = item.get("datasourceUid", uid)
            if target not in found.sources:
                yield f"data source {uid}: there is no {target}"
    for board in found.boards:
        for item in objects(board):
            reference = item.get("datasource")
            if not isinstance(reference, dict):
                continue
            target = found.sources.get(reference["uid"])
            if not target or target["type"] != reference["type"]:
                yield f"dashboard {board['title']}: there is no {reference}"
