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
