from __future__ import annotations

import logging
import logging.config
import os
import re
import subprocess
import sys
import uuid

import pytest
from output_hostile import CALLS

from otel_aiohttp_logs.output.console import (
    PALETTE,
    ConsoleFormatter,
    color_of,
    short_id,
)

FIRST = "7d1c7f6e-29a4-4c8b-9d3f-0c6b8a1d2e3f"
SECOND = "0f9e8d7c-6b5a-4e3d-8c1b-a09f8e7d6c5b"
TIME = r"\d\d:\d\d:\d\d\.\d{3}"
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def record_of(message="x", name="shop", level="INFO", **fields):
    levelno = logging.getLevelName(level)
    return logging.makeLogRecord(
        {"msg": message, "name": name, "levelname": level, "levelno": levelno, **fields}
    )


def text_of(record, *, colors=False):
    return ConsoleFormatter(colors=colors).format(record)


@pytest.mark.parametrize(
    ("level", "shown", "name", "message"),
    [
        ("INFO", "INFO ", "shop          ", "order placed"),
        ("WARNING", "WARN ", "aiohttp.access", "slow: 3 s, grün"),
        ("CRITICAL", "CRIT ", "a.long.name.of.a.logger", "full"),
    ],
)
def test_line(level, shown, name, message):
    """
    A line has the time, the level, the request's bar and short id, the logger, the
    message and the fields.
    """
    record = record_of(message, name.strip(), level, request_id=FIRST, item="tea", n=3)

    pattern = rf"{TIME} {shown} ▌7d1c7f6e {name} {message}  item=tea n=3"
    assert re.fullmatch(pattern, text_of(record))


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Kolkata", "03:43:20.062 04:44:21.500"),
        ("UTC", "22:13:20.062 23:14:21.500"),
    ],
)
def test_local_time(zone, expected):
    """The time is the local one, with milliseconds."""
    code = (
        "import logging\n"
        "from otel_aiohttp_logs.output.console import ConsoleFormatter\n"
        "formatter = ConsoleFormatter(colors=False)\n"
        "for created in (1700000000.0625, 1700003661.5):\n"
        "    record = logging.makeLogRecord({'created': created})\n"
        "    print(formatter.format(record)[:12])\n"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert seen.stdout.decode().split() == expected.split()


def test_outside_of_a_request():
    """Outside of a request the column of the id is blank, and as wide."""
    inside = text_of(record_of("started", request_id=FIRST))
    outside = text_of(record_of("started", request_id=None))

    assert re.fullmatch(rf"{TIME} INFO  {' ' * 9} shop {' ' * 9} started", outside)
    assert inside.index("shop") == outside.index("shop")


def test_without_a_request_but_a_trace():
    """Work that no request began shows the end of its trace id."""
    record = record_of(trace_id="4bf92f3577b34da6a3ce929d0e0e4736")

    assert "▌0e0e4736 shop" in text_of(record)


def test_requests_have_their_color():
    """The bar and the id have the request's own colour; all of its lines have it."""
    painted = [text_of(record_of(request_id=i), colors=True) for i in (FIRST, SECOND)]
    first, second = (f"\x1b[38;5;{color_of(i)}m" for i in (FIRST, SECOND))

    assert first != second
    assert f"{first}▌\x1b[0m{first}7d1c7f6e\x1b[0m" in painted[0]
    assert f"{second}▌\x1b[0m{second}0f9e8d7c\x1b[0m" in painted[1]
    assert first not in painted[1]


def test_colors_are_spread():
    """Every colour of the palette is used about as often, and all of them differ."""
    colors = [color_of(str(uuid.UUID(int=i, version=4))) for i in range(6000)]

    assert len(set(PALETTE)) == len(PALETTE) == 12
    assert set(colors) == set(PALETTE)
    assert all(350 < colors.count(color) < 650 for color in PALETTE)


def test_color_is_the_same_in_each_process():
    """A request has the same colour in another process."""
    code = (
        "from otel_aiohttp_logs.output.console import color_of\n"
        f"print(color_of({FIRST!r}), color_of({SECOND!r}))"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=60
    )

    assert seen.stdout.decode().split() == [str(color_of(i)) for i in (FIRST, SECOND)]


@pytest.mark.parametrize(
    ("request_id", "expected"),
    [
        (FIRST, "7d1c7f6e"),
        ("018f4a3c-1b2c-7d3e-8f40-1234567890ab", "567890ab"),
        ("order-000000123", "00000123"),
        ("abc", "abc"),
    ],
)
def test_short_id(request_id, expected):
    """The short id is the part that differs from one request to the next."""
    assert short_id(request_id) == expected


@pytest.mark.parametrize(
    ("level", "color"), [("INFO", "32"), ("ERROR", "1;31"), ("WARNING", "33")]
)
def test_level_has_its_color(level, color):
    """Each level has its colour."""
    shown = {"WARNING": "WARN "}.get(level, f"{level:<5}")

    assert f"\x1b[{color}m{shown}\x1b[0m" in text_of(
        record_of(level=level), colors=True
    )


def test_levels_of_ones_own():
    """A level between two has the colour of the lower one, and its own name."""
    record = logging.makeLogRecord({"levelname": "NOTICE", "levelno": 25})

    assert "\x1b[32mNOTICE\x1b[0m" in text_of(record, colors=True)
    record = logging.makeLogRecord({"levelname": "PANIC", "levelno": 60})
    assert "\x1b[1;37;41mPANIC\x1b[0m" in text_of(record, colors=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("tea", "tea"),
        ("dark chocolate", '"dark chocolate"'),
        ("a=b", '"a=b"'),
        ("", '""'),
        ('"', r'"\""'),
        ("a\nb\x1b\u2028", r'"a\nb\u001b\u2028"'),
        ("grün", "grün"),
        (1.5, "1.5"),
        (None, "null"),
        ([1, {"a": "b c"}], '[1,{"a":"b c"}]'),
        ("x" * 600, "x" * 500 + "…[100 bytes cut]"),
    ],
)
def test_fields(value, expected):
    """A field is ``key=value``; what could be taken for several is in quotes."""
    line = text_of(record_of("x", v=value, w=1))

    if expected.endswith("cut]"):
        expected = f'"{expected}"'
    assert line.endswith(f" x  v={expected} w=1")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("aiohttp.access", "  user=ada"), ("shop", "  response_status=200 user=ada")],
)
def test_access_lines_say_it_once(name, shown):
    """What an access line has in its message isn't repeated as fields."""
    record = record_of("GET / 200", name, response_status=200, user="ada")

    assert text_of(record).endswith(" GET / 200" + shown)


@pytest.mark.parametrize(("request_id", "bar"), [(FIRST, "▌"), (None, " ")])
def test_traceback(request_id, bar):
    """A traceback hangs below the line, each of its lines behind the request's bar."""
    try:
        raise ValueError("bad\n12:00:00.000 INFO  forged\r\x1b[1A")
    except ValueError:
        record = record_of("failed", request_id=request_id, exc_info=sys.exc_info())
    head, *below = text_of(record).split("\n")

    assert re.match(TIME, head)
    assert all(line.startswith(f"{' ' * 19}{bar}{' ' * 9}") for line in below)
    stack = [line[29:] for line in below]
    assert stack[0] == "Traceback (most recent call last):"
    assert stack[-2:] == ["ValueError: bad", r"12:00:00.000 INFO  forged\r\x1b[1A"]


def test_reason_stands_out():
    """The exception's type and message are red, the calls above them are not."""
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        record = record_of("failed", exc_info=sys.exc_info())
    lines = text_of(record, colors=True).split("\n")

    red = [COLOR.sub("", line).strip() for line in lines[1:] if "\x1b[1;31m" in line]
    assert red == ["ValueError: one", "two"]


def test_stack_info():
    """A stack that was asked for hangs below too."""
    text = text_of(record_of(stack_info="Stack:\n  call", request_id=FIRST))

    margin = f"\n{' ' * 19}▌{' ' * 9}"
    assert text.endswith(f" x{margin}Stack:{margin}  call")


@pytest.mark.parametrize("name", CALLS)
def test_hostile_records(logger_with, output, name):
    """
    Whatever is in a record: it's one line in which nothing moves a cursor, and its
    neighbours arrive untouched.
    """
    log = logger_with(ConsoleFormatter(colors=False))
    call = CALLS[name]
    log.info("before", extra={"n": 1})
    log.warning(call.msg, *call.args, extra=call.extra)
    log.info("after", extra={"n": 2})
    before, line, after, end = output.getvalue().split("\n")

    assert before.endswith(" before  n=1")
    assert after.endswith(" after  n=2")
    assert re.match(rf"{TIME} WARN  ", line)
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\u2066\ud800-\udfff]", line
    )
    assert "could not be formatted" not in line
    assert end == ""


@pytest.mark.parametrize("field", ["name", "levelname", "request_id"])
def test_nothing_is_forged_from_elsewhere(field):
    """Logger, level and id are escaped too."""
    text = text_of(logging.makeLogRecord({"msg": "message", field: "a\n\x1b[31mb"}))

    assert text.endswith(" message")
    assert r"a\n\x1b[3" in text or r"\x1b[31mb" in text
    assert "\n" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("environ", "colored"),
    [
        ({}, True),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_colors_by_environment(environ, colored):
    """``NO_COLOR`` and a dumb terminal mean no colours, ``FORCE_COLOR`` goes first."""
    code = (
        "import logging\n"
        "from otel_aiohttp_logs.output.console import ConsoleFormatter\n"
        "record = logging.makeLogRecord({'levelname': 'INFO', 'levelno': 20})\n"
        "for colors in (None, True, False):\n"
        "    print('\\x1b' in ConsoleFormatter(colors=colors).format(record))\n"
    )
    rest = {k: v for k, v in os.environ.items() if "COLOR" not in k and k != "TERM"}
    seen = subprocess.run(
        [sys.executable, "-c", code],
        env={**rest, **environ},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert seen.stdout.decode().split() == [str(colored), "True", "False"]


@pytest.mark.parametrize(
    "config",
    [
        {"()": "otel_aiohttp_logs.ConsoleFormatter", "colors": True},
        {"class": "otel_aiohttp_logs.ConsoleFormatter"},
    ],
)
def test_dict_config(output, config):
    """``dictConfig`` takes the formatter under ``()``, with options, and ``class``."""
    logger = logging.getLogger("console")
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"people": config},
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": output,
                    "formatter": "people",
                }
            },
            "loggers": {logger.name: {"handlers": ["out"], "propagate": False}},
        }
    )
    logger.error("configured")
    logger.handlers.clear()

    assert COLOR.sub("", output.getvalue()).endswith(" configured\n")


def test_has_no_format():
    """A format is refused with what to do instead."""
    with pytest.raises(
        ValueError, match=r"ConsoleFormatter has no format .*leave it out"
    ):
        ConsoleFormatter("%(message)s")


def test_a_record_that_is_none():
    """A record that can't be formatted at all becomes a line that says so."""
    record = logging.makeLogRecord({"created": None})

    assert text_of(record) == "a log record could not be formatted: TypeError"
