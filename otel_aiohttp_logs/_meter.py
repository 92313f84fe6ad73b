"""The MeterProvider that somebody set, if anybody did."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

_API = "opentelemetry.metrics"


def meter_provider(given: MeterProvider | None) -> MeterProvider | None:
    """
    Return the provider *given*, or else the global one.

    None if there is neither, or only the API's stand-in: it would take each
    measurement and do nothing. That part of the API takes 10 ms to import, so it isn't
    if nobody else has: then nobody can have set one either.
    """
    if given is not None:
        return given
    # https://opentelemetry-python.readthedocs.io/en/latest/api/environment_variables.html
    if _API not in sys.modules and "OTEL_PYTHON_METER_PROVIDER" not in os.environ:
        return None
    from opentelemetry import metrics  # noqa: PLC0415 (see above)
    from opentelemetry.metrics import _internal  # noqa: PLC0415 (see above)

    provider = metrics.get_meter_provider()
    stand_ins = (metrics.NoOpMeterProvider, _internal._ProxyMeterProvider)  # noqa: SLF001 (it has no public name)
    return None if isinstance(provider, stand_ins) else provider
