"""``client_trace_config``: the client side, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from opentelemetry import trace

from otel_aiohttp_logs.client.call import Call
from otel_aiohttp_logs.client.durations import Durations
from otel_aiohttp_logs.client.hosts import allowed_hosts
from otel_aiohttp_logs.client.sending_on import SendingOn
from otel_aiohttp_logs.client.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider


def client_trace_config(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    propagate_to: Iterable[str] | None = None,
) -> aiohttp.TraceConfig:
    """
    Return a configuration for ``ClientSession(trace_configs=[…])``.

    Each call gets a CLIENT span under the current one, each redirect that is followed
    one of its own, and the headers that let the called service continue the trace and
    the request's id. A header that the application set itself stays as it is. The span
    ends when the headers of the answer are there, or when the call failed.

    - *propagate_to*: hosts that get these headers, such as ``"stock.example.com"`` or
      ``".example.com"`` for all below; left out: all hosts.
    - *tracer_provider*, *meter_provider*: used instead of the global ones. Without a
      meter provider nothing is measured.

    Raises ``ValueError`` if *propagate_to* is no list of hosts.
    """
    tracer = trace.get_tracer(
        "otel_aiohttp_logs.client", tracer_provider=tracer_provider
    )
    sending_on = SendingOn(allowed_hosts(propagate_to))
    config = aiohttp.TraceConfig(Call)
    Signals(config, tracer, Durations(meter_provider), sending_on).connect()
    return config
