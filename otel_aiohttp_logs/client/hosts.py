"""Which hosts are sent the trace and the request id: ``propagate_to`` is checked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from yarl import URL

from otel_aiohttp_logs._environment import bad

Allowed: TypeAlias = Callable[[URL], bool]

_HOST = re.compile(r"[0-9a-z_-]+(\.[0-9a-z_-]+)*")
_WANTED = (
    "a list of names of hosts, such as 'stock.example.com' for one host or "
    "'.example.com' for all below it, without scheme, port and path"
)


def allowed_hosts(propagate_to: Iterable[str] | None) -> Allowed:
    """
    Return the function that tells whether a URL's host is one of *propagate_to*.

    None allows every host, an empty list none. Raises ``ValueError`` for what is no
    name of a host.
    """
    if propagate_to is None:
        return _every_host
    if isinstance(propagate_to, str) or not isinstance(propagate_to, Iterable):
        raise _wrong(propagate_to)
    given = list(propagate_to)
    names = {_checked(name) for name in given if not _is_suffix(name)}
    suffixes = tuple(f".{_checked(name)}" for name in given if _is_suffix(name))

    def is_allowed(url: URL) -> bool:
        host = (url.raw_host or "").lower().rstrip(".")
        return host in names or host.endswith(suffixes)

    return is_allowed


def _wrong(value: object) -> ValueError:
    return bad("propagate_to", value, _WANTED)


def _every_host(_: URL) -> bool:
    return True


def _is_suffix(name: object) -> bool:
    return isinstance(name, str) and name.startswith((".", "*."))


def _checked(name: object) -> str:
    """Return *name* as it stands in a URL: lower case, and ASCII by IDNA."""
    host = _host_of(name) if isinstance(name, str) else None
    if host is None:
        raise _wrong(name)
    return host


def _host_of(name: str) -> str | None:
    text = name.removeprefix("*").removeprefix(".").removesuffix(".")
    try:
        if ":" in text:
            bracketed = text.startswith("[") and text.endswith("]")
            return str(ipaddress.IPv6Address(text[1:-1] if bracketed else text))
        host = URL.build(scheme="http", host=text).raw_host
    except ValueError:
        return None
    return host if host and _HOST.fullmatch(host) else None
