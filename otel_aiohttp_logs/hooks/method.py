"""A method that everybody in the process uses, replaced and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Method: TypeAlias = Callable[..., Any]
    Replace: TypeAlias = Callable[[Method, "Switch"], Method]

_INHERITED = object()


class Switch:
    """Asked by a replacement before it does anything of its own."""

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = True


class ReplacedMethod:
    """
    The method *name* of *owner*, replaced until ``undo``.

    *owner* is a class, or one object. *replace* makes the replacement, with
    ``functools.wraps``. Somebody else may replace the method, too, before us or after
    us: theirs is never thrown away. If it stands around ours, then ours stays inside
    of it, and only passes on.
    """

    def __init__(self, owner: object, name: str, replace: Replace) -> None:
        self._owner = owner
        self._name = name
        self._replace = replace
        self._switch: Switch | None = None
        self._before: object = _INHERITED
        self._ours: Method | None = None

    def put_on(self) -> None:
        if self._switch is not None and self._ours in self._chain():
            self._switch.on = True
            return
        method = getattr(self._owner, self._name, None)
        if method is None:  # another version's
            return
        self._before = vars(self._owner).get(self._name, _INHERITED)
        self._switch = Switch()
        self._ours = self._replace(method, self._switch)
        setattr(self._owner, self._name, self._ours)

    def undo(self) -> None:
        if self._switch is None:
            return
        self._switch.on = False
        if vars(self._owner).get(self._name) is not self._ours:
            return
        if self._before is _INHERITED:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._before)
        self._switch = self._ours = None
        self._before = _INHERITED

    def _chain(self) -> list[object]:
        """Return the method as it is by now, and what it wraps, outermost first."""
        chain: list[object] = []
        method = vars(self._owner).get(self._name)
        while method is not None and len(chain) < _DEEPEST:
            chain.append(method)
            method = getattr(method, "__wrapped__", None)
        return chain


_DEEPEST = 50
