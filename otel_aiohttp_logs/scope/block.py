"""
What ``bound``, ``step`` and ``detached`` return: a block, or a function's decorator.

The block may be ``with`` or ``async with``; the function may be of any kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextvars import Token
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.context import detach

from otel_aiohttp_logs.scope.around import around
from otel_aiohttp_logs.scope.fields import BOUND, is_in

if TYPE_CHECKING:
    from types import TracebackType

F = TypeVar("F", bound=Callable[..., Any])


class Run(ABC):
    """One use of a block, suspended while the generator that it is around yields."""

    __slots__ = ()

    @abstractmethod
    def resume(self) -> None:
        """Be the innermost block of this task, until ``suspend``."""

    @abstractmethod
    def suspend(self) -> None:
        """
        Be no block of this task any more.

        It may be another task than the one of ``resume``: a generator that is left
        half-way is closed by whoever comes along.
        """

    def end(self, error: BaseException | None) -> None:  # noqa: B027 (few have to)
        """Note what came out of it; called before the last ``suspend``."""

    def __enter__(self) -> None:
        self.resume()

    def __exit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        try:
            self.end(error)
        finally:
            self.suspend()


class Block(ABC):
    def __init__(self) -> None:
        self._runs: list[Run] = []

    @abstractmethod
    def _begin(self, function: Callable[..., Any] | None) -> Run:
        """Return a new use of the block, or of the *function* that it decorates."""

    def __enter__(self) -> None:
        run = self._begin(None)
        run.resume()
        self._runs.append(run)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._innermost().__exit__(kind, error, traceback)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        wrapper: F = around(function, lambda: self._begin(function))
        return wrapper

    def _innermost(self) -> Run:
        """Take out the use that ends: of several, that of this task."""
        runs = self._runs
        if len(runs) > 1:
            bound = BOUND.get()
            for run in reversed(runs):
                if is_in(bound, run):
                    runs.remove(run)
                    return run
        return runs.pop()


def put_back(token: object) -> None:
    """
    Undo an ``attach``, or the setting of a variable, where it was done.

    Elsewhere, as in a generator that is closed by another task, there's nothing to
    undo; ``detach`` logs an error then.
    """
    if isinstance(token, Token):
        try:
            token.var.reset(token)
        except (RuntimeError, ValueError):
            return
    else:  # OpenTelemetry's context is kept by something else than a ContextVar
        detach(token)  # type: ignore[arg-type]  # whatever its ``attach`` returned
