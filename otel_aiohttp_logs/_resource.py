"""Who is speaking: the resource of the specification, as plain attributes."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING
from urllib.parse import unquote

from otel_aiohttp_logs._environment import Environment, bad
from otel_aiohttp_logs._version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

DISTRIBUTION = "otel-aiohttp-logs"


def resource_attributes(env: Environment) -> Mapping[str, str]:
    """
    Return the attributes of this service, each from where the specification says.

    ``service.name`` comes from ``OTEL_SERVICE_NAME`` before
    ``OTEL_RESOURCE_ATTRIBUTES``.
    """
    resource = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": DISTRIBUTION,
        "telemetry.sdk.version": VERSION,
        "service.name": "unknown_service",
    }
    resource.update(_pairs(env))
    resource["service.name"] = env.text("OTEL_SERVICE_NAME", resource["service.name"])
    return resource


def process_attributes(resource: Mapping[str, str]) -> dict[str, str | int]:
    """
    Return *resource* with what tells this process from its siblings.

    Asked when the pipeline starts: the settings may have been read before a fork.
    """
    instance = str(uuid.uuid4())
    return {"service.instance.id": instance, "process.pid": os.getpid(), **resource}


def _pairs(env: Environment) -> Mapping[str, str]:
    name = "OTEL_RESOURCE_ATTRIBUTES"
    pairs = {}
    for item in filter(None, map(str.strip, env.text(name, "").split(","))):
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise bad(name, item, "key=value,key=value with %XX for , and =")
        pairs[unquote(key.strip())] = unquote(value.strip())
    return pairs
