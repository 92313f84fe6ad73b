"""
The kinds of requests that are sent through the two services, and what must come of
each: the one list that the services and the tests share.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    name: str
    status: int
    """What front answers."""
    front: tuple[str, ...]
    """The lines that front writes, the last word of each."""
    back: tuple[str, ...] = ()
    back_status: int | None = None
    """What back answers, None if it is not asked."""
    method: str = "GET"
    routed: bool = True
    back_routed: bool = True
    front_error: str | None = None
    """``error.type`` of the span of front; so is *back_error*."""
    back_error: str | None = None
    own_spans: tuple[tuple[str, str | None], ...] = ()
    """The spans that front opens itself, and their parents, None for the request's."""
    under: tuple[tuple[str, str], ...] = ()
    """The lines that belong to one of *own_spans*."""
    late: tuple[str, ...] = ()
    """The lines of *front* that may come after the request's span has ended."""

    def path(self, n: int) -> str:
        return f"/{self.name}/{n}"

    @property
    def route(self) -> str | None:
        return f"/{self.name}/{{n}}" if self.routed else None

    def back_path(self, n: int) -> str:
        return f"/stock/{self.name}/{n}"

    @property
    def back_route(self) -> str | None:
        return f"/stock/{self.name}/{{n}}" if self.back_routed else None


AROUND = ("begins", "asked", "ends")
BACK = ("begins", "ends")

KINDS = (
    Kind("ok", 200, AROUND, BACK, 200),
    Kind("posted", 201, AROUND, BACK, 200, method="POST"),
    Kind("slow", 200, AROUND, BACK, 200),
    Kind("missing", 404, (), routed=False),
    Kind("nowhere", 404, ("begins", "asked"), (), 404, back_routed=False),
    Kind("moved", 302, ("begins", "asked"), BACK, 200),
    Kind("refused", 403, ("begins", "asked"), BACK, 200),
    Kind("broken", 500, ("begins", "asked"), BACK, 200, front_error="RuntimeError"),
    Kind(
        "stockless",
        502,
        AROUND,
        ("begins",),
        500,
        front_error="502",
        back_error="LookupError",
    ),
    Kind("streamed", 200, (*AROUND, "part 0", "part 1"), (*BACK, "part 0"), 200),
    Kind("socket", 101, ("begins", "heard 0", "heard 1", "asked", "ends"), BACK, 200),
    Kind(
        "background",
        200,
        (*AROUND, "later", "last"),
        BACK,
        200,
        late=("later", "last"),
    ),
    Kind("threads", 200, (*AROUND, "to_thread", "executor"), BACK, 200),
    Kind("queued", 200, (*AROUND, "queue"), BACK, 200, late=("queue",)),
    Kind(
        "children",
        200,
        (*AROUND, "packed", "wrapped"),
        BACK,
        200,
        own_spans=(("pack", None), ("wrap", "pack")),
        under=(("packed", "pack"), ("wrapped", "wrap")),
    ),
)


def kind_of(n: int) -> Kind:
    """
    Return of what kind request number *n* is.
    """
    return KINDS[n % len(KINDS)]


def text(service: str, kind: str, n: int, word: str) -> str:
    """
    Return the whole text of a line; no two lines of a run are the same.
    """
    return f"{service} {kind} {n}: {word}"
