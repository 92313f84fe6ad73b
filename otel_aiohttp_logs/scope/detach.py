"""``detached``: work that is begun while serving a request, and belongs to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import Context, attach, get_current

from otel_aiohttp_logs.scope.block import Block, Run, put_back
from otel_aiohttp_logs.scope.fields import BOUND, Bound, Layer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token

    from otel_aiohttp_logs.flat import Plain

_NOTHING: Mapping[str, Plain] = {}


def detached() -> DetachedBlock:
    """
    Leave the request for a ``with`` block, or for a function, as its decorator.

    Tasks, threads and connections that are begun in it belong to nobody: their lines
    have no ids and no bound fields, their spans no parent. For workers and pools that
    the first request starts and that outlive it.
    """
    return DetachedBlock()


class DetachedBlock(Block):
    """See ``detached``."""

    def _begin(self, _: object) -> Run:
        return _DetachedRun()


class _DetachedRun(Run):
    __slots__ = ("_bound", "_context", "_over", "_tokens")

    def __init__(self) -> None:
        self._context = Context()
        # A layer without fields: it tells which block of the task is the innermost.
        layer = Layer(self, _NOTHING, _NOTHING, _NOTHING)
        self._bound: Bound | None = Bound(None, _NOTHING, (layer,), _NOTHING)
        self._over = False
        self._tokens: tuple[Token[Context], Token[Bound | None]] | None = None

    def resume(self) -> None:
        self._tokens = attach(self._context), BOUND.set(self._bound)

    def end(self, _: BaseException | None) -> None:
        self._over = True

    def suspend(self) -> None:
        # What was bound in here holds this run: not kept for longer than it's needed.
        bound = None if self._over else BOUND.get()
        self._context, self._bound = get_current(), bound
        tokens, self._tokens = self._tokens, None
        if tokens is not None:
            put_back(tokens[0])
            put_back(tokens[1])
