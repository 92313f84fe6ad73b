import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

_R = TypeVar("_R")

INTERFACE: int

def group_logs(
    kind: type[Any],
    new_group: Callable[[Any, Any], list[bytes]],
    twin: Callable[[_R, Any], None],
    logs: Sequence[_R],
    groups: dict[Any, list[bytes]],
    /,
) -> None: ...
def group_spans(
    kinds: tuple[type[Any], type[Any], type[Any], type[Any]],
    new_group: Callable[[Any, Any], list[bytes]],
    twin: Callable[[_R, Any], None],
    spans: Sequence[_R],
    groups: dict[Any, list[bytes]],
    /,
) -> None: ...
def configure(**things: object) -> None: ...
def make_record(*args: Any, **kwargs: Any) -> Any: ...
def make_event(*args: Any, **kwargs: Any) -> Any: ...
def said(record: logging.LogRecord, /) -> Any | None: ...
def pass_on(handler: logging.Handler, record: logging.LogRecord, /) -> bool: ...
def json_line(record: logging.LogRecord, words: Any, /) -> str | None: ...
def stdout_line(
    handler: logging.Handler, record: logging.LogRecord, formatter: type[Any], /
) -> str | None: ...
