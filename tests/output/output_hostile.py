"""Log calls that break formatters, each by its name."""

from __future__ import annotations

from typing import NamedTuple


class Call(NamedTuple):
    msg: object
    args: tuple[object, ...] = ()
    extra: dict[object, object] | None = None


class Unprintable:
    def __repr__(self):
        msg = "no"
        raise ValueError(msg)


class UnprintableText:
    def __str__(self):
        msg = "no"
        raise RuntimeError(msg)


class NotText:
    def __str__(self):
        return 7  # noqa: PLE0307 - on purpose


class NoClass:
    @property
    def __class__(self):
        msg = "no"
        raise RuntimeError(msg)


class Meta(type):
    def __getattribute__(cls, name):
        msg = "no"
        raise RuntimeError(msg)


class Nameless(metaclass=Meta):
    pass


class Endless(dict):
    def items(self):
        while True:
            yield "key", "value"


class Lies(list):
    def __len__(self):
        msg = "no"
        raise TypeError(msg)


class Shouting(str):
    __slots__ = ()

    def __str__(self):
        return "\n\n"

    def isascii(self):
        return True

    def encode(self, *_):
        msg = "no"
        raise ValueError(msg)


class Recursive:
    def __repr__(self):
        return repr(self)


def cycle() -> dict[str, object]:
    value: dict[str, object] = {}
    value["self"] = value
    return value


def deep(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


CALLS = {
    "newline": Call('x\n{"level":"INFO","message":"forged"}'),
    "carriage return": Call("x\rforged"),
    "ANSI": Call("\x1b[2J\x1b[31mred"),
    "C1 control": Call("a\x9b31mb\x85c"),
    "DEL": Call("a\x7fb"),
    "DEL beside text": Call("é\x7fb"),
    "U+2028": Call("a\u2028b\u2029c"),
    "bidirectional override": Call("a\u202eb\u2066c"),
    "NUL": Call("a\0b"),
    "quotes": Call('a"b\\c"}'),
    "lone surrogate": Call("a\ud800b\udfff"),
    "surrogates that pair": Call("\ud83d\ude00"),
    "10 MB message": Call("x" * 10_000_000),
    "10 MB of é": Call("é" * 5_000_000),
    "too few arguments": Call("%s %s", (1,)),
    "too many arguments": Call("%s", (1, 2)),
    "wrong type of argument": Call("%d", ("x",)),
    "not a template": Call("100% of it", (1,)),
    "message that is no text": Call({"a": 1}),
    "message that cannot be shown": Call(UnprintableText()),
    "message whose str is no text": Call(NotText()),
    "message None": Call(None),
    "text of its own kind": Call(Shouting("a\x1bé")),
    "argument that cannot be shown": Call("%s", (Unprintable(),)),
    "unprintable": Call("x", extra={"v": Unprintable()}),
    "without a class": Call("x", extra={"v": NoClass()}),
    "without a name": Call("x", extra={"v": Nameless()}),
    "text of its own kind in extra": Call("x", extra={"v": Shouting("\n\ud800")}),
    "recursive repr": Call("x", extra={"v": Recursive()}),
    "endless mapping": Call("x", extra={"v": Endless()}),
    "list that lies": Call("x", extra={"v": Lies([1])}),
    "cycle": Call("x", extra={"v": cycle()}),
    "100,000 levels": Call("x", extra={"v": deep(100_000)}),
    "100,000 items": Call("x", extra={"v": list(range(100_000))}),
    "100,000 keys": Call("x", extra={"v": dict.fromkeys(range(100_000))}),
    "2,000 fields": Call("x", extra={f"k{i}": i for i in range(2000)}),
    "500 fields of 64 KiB": Call("x", extra={f"k{i}": "x" * 65536 for i in range(500)}),
    "3 MB value": Call("x", extra={"v": "é" * 1_500_000}),
    "3 MB bytes": Call("x", extra={"v": b"\xff" * 3_000_000}),
    "long names": Call("x", extra={"n" * 500: 1, "n" * 501: 2, "é" * 500: 3}),
    "long nested names": Call("x", extra={"n" * 100: {"m" * 100: {"o": 1}}}),
    "names that are no text": Call("x", extra={1: 1, None: 2, (): 3, "1": 4}),
    "names of its own kind": Call("x", extra={Shouting("\n"): 1}),
    "names with controls": Call("x", extra={"a\nb\x1b\ud800": 1}),
    "empty name": Call("x", extra={"": 1}),
    "NaN": Call("x", extra={"v": [float("nan"), float("inf"), -float("inf")]}),
    "huge number": Call("x", extra={"v": [10**5000, -(2**64)]}),
    "a field's own name": Call(
        "x",
        extra={"timestamp": 1, "level": 2, "logger": 3, "exception": 4, "body": 5},
    ),
    "ids": Call(
        "x",
        extra={"trace_id": 1, "span_id": [2], "trace_flags": 3.0, "request_id": {}},
    ),
    "a long id": Call("x", extra={"trace_id": "f" * 1000}),
    "resource": Call("x", extra={"service.name": "a", "service": {"name": "b"}}),
    "renamed twice": Call("x", extra={"extra.level": 1, "level": 2}),
    "left out": Call("x", extra={"extra.left_out": 1, "stack_info~2": 2}),
}
