"""
Our formats as the API's propagators: what ``OTEL_PROPAGATORS`` finds by its names.

They are entry points of this package, so that everybody who asks the API, such as
other instrumentations, reads and writes the same as we do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from multidict import CIMultiDict
from opentelemetry.context import Context, get_current
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from otel_aiohttp_logs.span.formats import B3_SEVERAL, B3_SINGLE, JAEGER

if TYPE_CHECKING:
    from otel_aiohttp_logs.span.formats import Format


class FormatPropagator(TextMapPropagator):
    def __init__(self, form: Format) -> None:
        self.form = form

    @property
    def fields(self) -> set[str]:
        return set(self.form.fields)

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        headers = CIMultiDict(
            (name, value)
            for name in dict.fromkeys(getter.keys(carrier))
            for value in getter.get(carrier, name) or ()
        )
        return self.form.read(headers, Context() if context is None else context)

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        headers: dict[str, str] = {}
        self.form.write(headers, get_current() if context is None else context)
        for name, value in headers.items():
            setter.set(carrier, name, value)


def b3_single() -> FormatPropagator:
    return FormatPropagator(B3_SINGLE)


def b3_several() -> FormatPropagator:
    return FormatPropagator(B3_SEVERAL)


def jaeger() -> FormatPropagator:
    return FormatPropagator(JAEGER)
