"""
Decorators for each kind of function: sync, async, and the generators of both.

A generator's block is suspended where it yields: the lines of the one who takes its
items are not the generator's.
"""

from __future__ import annotations

import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from otel_aiohttp_logs.scope.block import Run

    _Begin = Callable[[], Run]


def around(function: Callable[..., Any], begin: _Begin) -> Any:
    """Return *function* so that each call is in a use of a block of its own."""
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, begin)
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, begin)
    if inspect.isgeneratorfunction(function):
        return _generator(function, begin)
    return _plain(function, begin)


def _plain(function: Callable[..., Any], begin: _Begin) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin():
            return function(*args, **kwargs)

    return wrapper


def _coroutine(function: Callable[..., Any], begin: _Begin) -> Any:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin():
            return await function(*args, **kwargs)

    return wrapper


def _generator(function: Callable[..., Any], begin: _Begin) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inner = function(*args, **kwargs)
        run = begin()
        failed: BaseException | None = None
        advance = partial(next, inner)
        try:
            while True:
                try:
                    with _resumed(run):
                        item = advance()
                except StopIteration as stop:
                    return stop.value
                try:
                    advance = partial(inner.send, (yield item))
                except GeneratorExit:
                    with _resumed(run):
                        inner.close()
                    raise
                except BaseException as thrown:  # noqa: BLE001 (passed on)
                    advance = partial(inner.throw, thrown)
        except BaseException as error:
            failed = error
            raise
        finally:
            with _resumed(run):
                run.end(failed)
            del failed

    return wrapper


def _async_generator(function: Callable[..., Any], begin: _Begin) -> Any:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        run = begin()
        failed: BaseException | None = None
        advance = inner.__anext__
        try:
            while True:
                try:
                    with _resumed(run):
                        item = await advance()
                except StopAsyncIteration:
                    return
                try:
                    advance = partial(inner.asend, (yield item))
                except GeneratorExit:
                    with _resumed(run):
                        await inner.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001 (passed on)
                    advance = partial(inner.athrow, thrown)
        except BaseException as error:
            failed = error
            raise
        finally:
            with _resumed(run):
                run.end(failed)
            del failed

    return wrapper


class _resumed:  # noqa: N801 (used as a function)
    """A stretch of a generator's run, from one ``yield`` to the next."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> None:
        self._run.resume()

    def __exit__(self, *_: object) -> None:
        self._run.suspend()
