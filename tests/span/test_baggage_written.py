"""Baggage that the application itself sets, on its way out."""

from __future__ import annotations

import pytest
from opentelemetry import baggage
from opentelemetry.context import Context

from otel_aiohttp_logs.span import jaeger
from otel_aiohttp_logs.span.baggage import Value, write_baggage


class Unprintable:
    def __str__(self):
        raise RuntimeError


def written(write, **entries):
    context = Context()
    for name, value in entries.items():
        context = baggage.set_baggage(name, value, context)
    carrier = {}
    write(carrier, context)
    return carrier


def with_property():
    value = Value("1")
    value.properties = ";p=2"
    return value


@pytest.mark.parametrize(
    ("name", "value", "sent", "jaegers"),
    [
        ("a", "plain", "a=plain", ("a", "plain")),
        ("a", 'b c,d;e\\f"g', "a=b%20c%2Cd%3Be%5Cf%22g", None),
        ("a", "100%", "a=100%25", ("a", "100%25")),
        ("a", "ü", "a=%C3%BC", ("a", "%C3%BC")),
        ("a", "x\r\nHost: y", "a=x%0D%0AHost:%20y", ("a", "x%0D%0AHost%3A%20y")),
        ("a", 42, "a=42", ("a", "42")),
        ("a", None, "a=None", ("a", "None")),
        ("a", "\ud800", "a=%5Cud800", ("a", "%5Cud800")),
        ("a", Unprintable(), "a=<unprintable%20Unprintable>", None),
        ("user id", "1", "user%20id=1", ("user%20id", "1")),
        ("a!b c", "1", "a!b%20c=1", ("a!b%20c", "1")),
        ("a=b", "1", "a%3Db=1", ("a%3Db", "1")),
        ("ü", "1", "%C3%BC=1", ("%C3%BC", "1")),
        ("a\r\nb", "1", "a%0D%0Ab=1", ("a%0D%0Ab", "1")),
        ("a%20b", "1", "a%20b=1", ("a%2520b", "1")),
        ("a", with_property(), "a=1;p=2", ("a", "1")),
        ("\udc80", "1", "%5Cudc80=1", ("%5Cudc80", "1")),
        ("", "1", None, ()),
        ("a", "v" * 8191, None, ()),
    ],
)
def test_each_value_is_encoded(name, value, sent, jaegers):
    """
    Nothing that the application sets breaks a header, nor the call: what can't be had
    as text says so, what is too long or has no name is left out.
    """
    expected = {} if sent is None else {"baggage": sent}
    assert written(write_baggage, **{name: value}) == expected

    if jaegers is not None:
        expected = {f"uberctx-{jaegers[0]}": jaegers[1]} if jaegers else {}
        assert written(jaeger.write_jaeger, **{name: value}) == expected
