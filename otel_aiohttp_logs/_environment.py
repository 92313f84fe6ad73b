"""
Reading settings: each question returns a value or raises one clear ``ValueError``.

As the specification wants, an empty variable counts as unset.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def bad(name: str, value: object, wanted: str) -> ValueError:
    """Return the error that says which setting is wrong and what to write instead."""
    option = name.removeprefix("OTEL_AIOHTTP_LOGS_").lower()
    where = f"{name} (option {option})" if option != name.lower() else name
    return ValueError(f"{where} is {value!r}: write {wanted}.")


class Environment:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "").strip() or default

    def first(self, names: Sequence[str], default: str) -> tuple[str, str]:
        """Return the first of *names* that is set and its value."""
        for name in names:
            value = self.text(name, "")
            if value:
                return name, value
        return names[0], default

    def choice(
        self,
        name: str,
        choices: Sequence[str],
        default: str,
        *,
        given: str | None = None,
    ) -> str:
        value = given if given is not None else self.text(name, default)
        if value not in choices:
            raise bad(name, value, " or ".join(choices))
        return value

    def some_of(
        self, name: str, choices: Sequence[str], *, given: str | None = None
    ) -> frozenset[str]:
        """Return which of *choices* are wanted: all (default), none, or a list."""
        value = given if given is not None else self.text(name, "all")
        if value in {"all", "none"}:
            return frozenset(choices if value == "all" else ())
        wanted = frozenset(part.strip() for part in str(value).split(","))
        if not wanted <= frozenset(choices):
            listed = ", ".join(choices)
            raise bad(name, value, f"all, none, or some of {listed}, with commas")
        return wanted

    def boolean(self, name: str, *, default: bool, given: bool | None = None) -> bool:
        if given is not None:
            if not isinstance(given, bool):
                raise bad(name, given, "True or False")
            return given
        value = self.text(name, str(default)).lower()
        if value not in {"true", "false"}:
            raise bad(name, value, "true or false")
        return value == "true"

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        """Return a whole number of at least *least*."""
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) < least:
            raise bad(name, value, f"a whole number, {least} or more")
        return int(value)

    def ratio(self, name: str, default: float) -> float:
        value = self.text(name, str(default))
        try:
            ratio = float(value)
        except ValueError:
            ratio = math.nan
        if not 0 <= ratio <= 1:
            raise bad(name, value, "a number from 0 to 1")
        return ratio
