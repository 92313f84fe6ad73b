"""
W3C Baggage, to the letter: https://www.w3.org/TR/baggage/

The API's own propagator reads the first of several headers only, takes ``+`` for a
space, and makes the properties of a value a part of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, unquote

from opentelemetry import baggage

from otel_aiohttp_logs.record.text import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

    from opentelemetry.context import Context

    from otel_aiohttp_logs.span.remote import Headers

HEADER = "baggage"
MOST_ENTRIES = 180
MOST_BYTES = 8192

_TOKEN_SIGNS = "!#$%&'*+-.^_`|~"  # noqa: S105 (RFC 9110, section 5.6.2)
_TOKEN = rf"[0-9A-Za-z{re.escape(_TOKEN_SIGNS)}]+"
_OCTETS = r"[!#-+\--:<-\[\]-~]*"
_MEMBER = re.compile(rf"[ \t]*({_TOKEN})[ \t]*=[ \t]*({_OCTETS})[ \t]*(?:;(.*))?")
_PROPERTY = re.compile(rf"[ \t]*({_TOKEN})[ \t]*(?:=[ \t]*({_OCTETS})[ \t]*)?")
_ENCODED_NAME = _TOKEN_SIGNS.replace("%", "")
_PLAIN_OCTETS = "!#$&'()*+-./:<=>?@[]^_`{|}~"


Entry: TypeAlias = tuple[str, str, str]
"""Name, value as it stands in the header, and its properties with their ``;``."""


class Value(str):  # noqa: SLOT000 (a slot would need a constructor)
    """A value as text, that takes its properties along to the next service."""

    properties: str = ""


def read_baggage(headers: Headers, context: Context) -> Context:
    """Return *context* with all entries that can be read; a bad one is left out."""
    values = headers.getall(HEADER, None)
    if values is None:
        return context
    members = (member for value in values for member in value.split(","))
    entries = (entry for entry in map(_parsed, members) if entry is not None)
    for name, octets, properties in within_limits(entries):
        value = Value(unquote(octets))
        value.properties = properties
        context = baggage.set_baggage(name, value, context)
    return context


def write_baggage(carrier: MutableMapping[str, str], context: Context) -> None:
    entries = map(_encoded, baggage.get_all(context).items())
    text = ",".join(
        f"{name}={octets}{properties}"
        for name, octets, properties in within_limits(entries)
    )
    if text:
        carrier[HEADER] = text


def within_limits(
    entries: Iterable[Entry], most: int = MOST_ENTRIES
) -> Iterator[Entry]:
    """Yield the first *entries* that fit into one header, and those that still do."""
    number, size = 0, -1
    for entry in entries:
        length = len(",=") + sum(map(len, entry))
        if not entry[0] or size + length > MOST_BYTES:
            continue
        number, size = number + 1, size + length
        if number > most:
            return
        yield entry


def _parsed(member: str) -> Entry | None:
    found = _MEMBER.fullmatch(member)
    if found is None:
        return None
    if found[3] is None:
        return found[1], found[2], ""
    parts = [_PROPERTY.fullmatch(part) for part in found[3].split(";")]
    if not all(parts):
        return None
    properties = (
        f";{part[1]}" if part[2] is None else f";{part[1]}={part[2]}"
        for part in parts
        if part
    )
    return found[1], found[2], "".join(properties)


def _encoded(entry: tuple[str, object]) -> Entry:
    value = entry[1]
    name = text_of(entry[0], MOST_BYTES)
    # A name that is no token is encoded: it would be lost otherwise.
    token = name if re.fullmatch(_TOKEN, name) else quote(name, safe=_ENCODED_NAME)
    properties = value.properties if isinstance(value, Value) else ""
    octets = quote(text_of(value, MOST_BYTES), safe=_PLAIN_OCTETS)
    return token, octets, properties
