"""The encoder's two forms, for tests that hold for each of them."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from otel_aiohttp_logs._speed import native
from otel_aiohttp_logs.export import encoder
from otel_aiohttp_logs.export.encoder import each, encode_resource, request
from otel_aiohttp_logs.export.messages import group_log, group_span


class Encoder(NamedTuple):
    group_logs: object
    group_spans: object

    def logs(self, logs, resource=None) -> bytes:
        return self._request(self.group_logs, logs, resource)

    def spans(self, spans, resource=None) -> bytes:
        return self._request(self.group_spans, spans, resource)

    def _request(self, group, records, resource):
        groups: dict = {}
        group(records, groups)
        return request(encode_resource(resource or {}), groups.values())


PYTHON = Encoder(each(group_log), each(group_span))
COMPILED = Encoder(encoder.group_logs, encoder.group_spans)

needs_compiled = pytest.mark.skipif(native is None, reason="nothing is compiled")
each_encoder = pytest.mark.parametrize(
    "encode",
    [
        pytest.param(PYTHON, id="python"),
        pytest.param(COMPILED, id="compiled", marks=needs_compiled),
    ],
)
