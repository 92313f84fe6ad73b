from __future__ import annotations

import json
import logging
import logging.config
import os
import re
import subprocess
import sys
from datetime import datetime, timezone

import pytest
from output_hostile import CALLS

from otel_aiohttp_logs.output.json_lines import JSONFormatter

IDS = {
    "request_id": "7d1c7f6e-29a4-4c8b-9d3f-0c6b8a1d2e3f",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "span_id": "00f067aa0ba902b7",
    "trace_flags": "01",
}


def strict(line):
    """Return what is in *line*, which may hold no key twice and no NaN."""

    def once(pairs):
        assert len(dict(pairs)) == len(pairs), "a key twice"
        return dict(pairs)

    def refuse(constant):
        raise ValueError(constant)

    return json.loads(line, object_pairs_hook=once, parse_constant=refuse)


@pytest.fixture
def log(logger_with):
    return logger_with(JSONFormatter())


def lines(output):
    return [strict(line) for line in output.getvalue().split("\n")[:-1]]


@pytest.mark.parametrize(
    ("level", "logger", "message"),
    [("INFO", "shop", "one"), ("ERROR", "shop.orders", "zwei: grün, 日本, 🙂")],
)
def test_keys_in_their_order(logger_with, output, level, logger, message):
    """
    A line has timestamp, level, logger, message, the ids, the extra fields and the
    exception, in this order.
    """
    log = logger_with(JSONFormatter(), logger)
    try:
        raise KeyError(message)
    except KeyError:
        log.log(
            getattr(logging, level),
            message,
            exc_info=True,
            extra={"b": 1, "a": "x", **IDS},
        )
    (line,) = lines(output)

    assert list(line) == [
        "timestamp",
        "level",
        "logger",
        "message",
        "request_id",
        "trace_id",
        "span_id",
        "trace_flags",
        "b",
        "a",
        "exception",
    ]
    assert (line["level"], line["logger"], line["message"]) == (level, logger, message)
    assert {name: line[name] for name in IDS} == IDS
    assert line["exception"]["type"] == "KeyError"
    assert line["exception"]["message"] == repr(message)
    assert line["exception"]["stack"].startswith("Traceback (most recent call last):")
    assert message in output.getvalue()


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (1700000000.123456, "2023-11-14T22:13:20.123456Z"),
        (1700000000.9999999, "2023-11-14T22:13:21.000000Z"),
        (1700000000.9999996, "2023-11-14T22:13:21.000000Z"),
        (1709209805.000001, "2024-02-29T12:30:05.000001Z"),
        (0.0, "1970-01-01T00:00:00.000000Z"),
        (-0.25, "1969-12-31T23:59:59.750000Z"),
    ],
)
def test_timestamp(created, expected):
    """The timestamp is RFC 3339 in UTC, with microseconds and Z."""
    formatter = JSONFormatter()
    for moment in (created, 1.5, created):
        record = logging.makeLogRecord({"created": moment})
        line = strict(formatter.format(record))

    assert line["timestamp"] == expected


def test_timestamp_is_that_of_the_record(log, output):
    """The timestamp reads back as the time at which the record was made."""
    before = datetime.now(timezone.utc)
    log.info("x")
    after = datetime.now(timezone.utc)
    (line,) = lines(output)

    moment = datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00"))
    assert before.replace(microsecond=0) <= moment <= after


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_timestamp_is_utc_in_each_zone(zone):
    """The machine's time zone doesn't matter."""
    code = (
        "import logging\n"
        "from otel_aiohttp_logs.output.json_lines import JSONFormatter\n"
        "record = logging.makeLogRecord({'created': 1700000000.25})\n"
        "print(JSONFormatter().format(record))\n"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert strict(seen.stdout)["timestamp"] == "2023-11-14T22:13:20.250000Z"


@pytest.mark.parametrize(
    "request_id",
    [
        'a"b',
        '","level":"forged',
        "a\\b",
        "a\nb\x7f",
        "é",
        "x" * 128,
    ],
)
def test_ids_of_any_kind(log, output, request_id):
    """An id that somebody else put on a record can't break the line."""
    log.info("x", extra={**IDS, "request_id": request_id})
    log.info("x", extra={**IDS, "span_id": None, "request_id": request_id})
    first, second = lines(output)

    assert first == {**first, **IDS, "request_id": request_id}
    assert second["request_id"] == request_id
    assert "span_id" not in second


def test_long_ids(log, output):
    """An id that is too long for one is cut."""
    log.info("x", extra={**IDS, "request_id": "x" * 200})
    (line,) = lines(output)

    assert line["request_id"] == "x" * 128 + "…[72 bytes cut]"


def test_without_a_request(log, output):
    """Outside of a request the ids are left out, and so is the exception."""
    log.info("x", extra=dict.fromkeys(IDS))
    log.info("y")
    first, second = lines(output)

    assert list(first) == list(second) == ["timestamp", "level", "logger", "message"]


@pytest.mark.parametrize("name", CALLS)
def test_hostile_records(log, output, name):
    """
    Whatever is in a record: it's one line of strict JSON, all of it can be encoded
    and nothing in it moves a cursor, and its neighbours arrive untouched.
    """
    call = CALLS[name]
    log.info("before %d", 1, extra={"n": 1})
    log.warning(call.msg, *call.args, extra=call.extra)
    log.info("after %d", 2, extra={"n": 2})
    before, line, after = lines(output)
    text = output.getvalue()

    assert (before["message"], before["n"]) == ("before 1", 1)
    assert (after["message"], after["n"]) == ("after 2", 2)
    assert line["level"] == "WARNING"
    assert isinstance(line["message"], str)
    assert "could not be formatted" not in line["message"]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e\u2066]", text)
    assert len(text.encode()) < 2 * 1024 * 1024
    assert len(line) <= 520
    assert all(len(key.encode()) <= 128 for key in line)


@pytest.mark.parametrize(
    "message",
    ['a"b\\c\n\r\t\b\f', "a\x7f\x80\x9f\u2028\u2029", "é\x00\u202e日本🙂"],
)
def test_text_reads_back(log, output, message):
    """What a JSON reader gets is what the application wrote, controls included."""
    log.info(message, extra={"v": message, message: 1})
    (line,) = lines(output)

    assert (line["message"], line["v"], line[message]) == (message, message, 1)


@pytest.mark.parametrize("text", ["a\ud800b", "é\udcff"])
def test_lone_surrogates_are_shown(log, output, text):
    """A lone surrogate, which strict readers refuse, becomes visible text."""
    log.info(text, extra={"v": text})
    (line,) = lines(output)

    shown = text.encode("utf-8", "backslashreplace").decode()
    assert (line["message"], line["v"]) == (shown, shown)


def test_values(log, output):
    """Each plain value has its JSON form; NaN and Infinity are text, bytes too."""
    value = {
        "text": "a\nb",
        "yes": True,
        "no": False,
        "none": None,
        "int": -3,
        "big": 2**62,
        "float": 0.1,
        "nan": float("nan"),
        "inf": float("-inf"),
        "bytes": b"caf\xc3\xa9 \xff",
        "list": [1, [], {"a": {}}],
    }
    log.info("x", extra={"v": value})
    (line,) = lines(output)

    changed = {"nan": "nan", "inf": "-inf", "bytes": "café \\xff"}
    assert line["v"] == {**value, **changed}


def test_names_of_its_own(log, output):
    """A field named like one of the line's own goes out under ``extra.<name>``."""
    log.info("x", extra={"timestamp": 1, "level": 2, "trace_id": 3, "service.name": 4})
    (line,) = lines(output)

    assert line["level"] == "INFO"
    assert list(line.items())[4:] == [
        ("extra.timestamp", 1),
        ("extra.level", 2),
        ("extra.trace_id", 3),
        ("extra.service.name", 4),
    ]


def test_a_record_that_is_none():
    """
    A record that can't be formatted at all becomes a line that says so, with the ids
    that it has.
    """
    record = logging.makeLogRecord({"name": "shop", "created": "yesterday", **IDS})
    line = strict(JSONFormatter().format(record))

    assert line["level"] == "ERROR"
    assert line["logger"] == "shop"
    assert line["message"] == "a log record could not be formatted: TypeError"
    assert line["trace_id"] == IDS["trace_id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])


def test_an_emptied_record():
    """Even a record without a single attribute becomes a line."""
    record = logging.makeLogRecord({})
    vars(record).clear()

    assert "could not be formatted" in strict(JSONFormatter().format(record))["message"]


def test_names_and_levels_of_any_kind():
    """Logger and level are escaped too, and bounded."""
    formatter = JSONFormatter()
    for name, level in (("a\n\u2028", "X\x1b"), ("l" * 5000, "m" * 500), (3, None)):
        record = logging.makeLogRecord({"name": name, "levelname": level})
        text = formatter.format(record)

        assert "\n" not in text
        assert strict(text)["message"] == ""
        assert len(text) < 2000


def test_many_loggers_and_names_are_no_leak():
    """What is kept prepared is bounded, however many loggers and names there are."""
    formatter = JSONFormatter()
    for i in range(2500):
        record = logging.makeLogRecord({"name": f"l{i}", f"k{i}": i})
        line = strict(formatter.format(record))
        assert (line["logger"], line[f"k{i}"]) == (f"l{i}", i)

    assert len(formatter._heads) <= 1000
    assert len(formatter._names) <= 1000


@pytest.mark.parametrize("key", ["()", "class"])
def test_dict_config(output, key):
    """``dictConfig`` takes the formatter under ``()`` and under ``class``."""
    logger = logging.getLogger(f"json_lines.{key}")
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {key: "otel_aiohttp_logs.JSONFormatter"}},
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": output,
                    "formatter": "json",
                }
            },
            "loggers": {logger.name: {"handlers": ["out"], "propagate": False}},
        }
    )
    logger.error("configured by %s", key)
    logger.handlers.clear()
    (line,) = lines(output)

    assert line["message"] == f"configured by {key}"


@pytest.mark.parametrize(
    ("option", "value"), [("format", "%(message)s"), ("datefmt", "%H:%M")]
)
def test_has_no_format(option, value):
    """A format or date format is refused with what to do instead."""
    config = {"class": "otel_aiohttp_logs.JSONFormatter", option: value}
    with pytest.raises(ValueError, match="formatter 'json'") as raised:
        logging.config.dictConfig({"version": 1, "formatters": {"json": config}})

    assert f"JSONFormatter has no {option}" in str(raised.value.__cause__)
    assert "leave it out" in str(raised.value.__cause__)


def test_an_interrupt_passes():
    """KeyboardInterrupt isn't caught: the process can be stopped while it logs."""

    class Interrupts:
        def __str__(self):
            raise KeyboardInterrupt

    record = logging.makeLogRecord({"msg": Interrupts()})
    with pytest.raises(KeyboardInterrupt):
        JSONFormatter().format(record)
