"""What a record says is worked out once for our two handlers, and for them alone."""

from __future__ import annotations

import json
import logging

import pytest

from otel_aiohttp_logs.output.json_lines import JSONFormatter
from otel_aiohttp_logs.output.stdout import stdout_handler
from otel_aiohttp_logs.record.handler import OutletHandler
from otel_aiohttp_logs.record.stamping import Stamping

log = logging.getLogger("shop.said")


class Counting:
    def __init__(self):
        self.asked = 0

    def __str__(self):
        self.asked += 1
        return f"asked {self.asked}"


@pytest.fixture
def exported():
    """What the exporting handler hears, in front of all others; records are stamped."""
    logs = []
    stamping, outlet = Stamping(), OutletHandler()
    outlet.outlets = (lambda _, flat: logs.append(flat),)
    stamping.ensure()
    logging.getLogger().addHandler(outlet)
    log.setLevel(logging.INFO)
    yield logs, outlet
    log.setLevel(logging.NOTSET)
    logging.getLogger().removeHandler(outlet)
    stamping.undo()


def test_once_for_both(exported, capsys):
    """A value is asked once for what it says, and both handlers say the same."""
    logs, outlet = exported
    value = Counting()
    stdout = stdout_handler("json", ours=(outlet, *logging.getLogger().handlers))
    logging.getLogger().addHandler(stdout)

    log.info("hello %s", "you", extra={"value": value})
    logging.getLogger().removeHandler(stdout)

    line = json.loads(capsys.readouterr().out)
    (flat,) = logs
    assert value.asked == 1
    assert (line["message"], line["value"]) == ("hello you", "asked 1")
    assert (flat.body, flat.attributes["value"]) == ("hello you", "asked 1")


def test_not_for_a_handler_of_the_application(exported):
    """Its filter may hide what we have seen before, however deep it is."""
    lines = []

    class Listener(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(self.format(record)))

    def hide(record):
        record.login["password"] = "***"
        record.token = "***"
        return True

    listener = Listener()
    listener.setFormatter(JSONFormatter())
    listener.addFilter(hide)
    logging.getLogger().addHandler(listener)

    log.info("login", extra={"login": {"password": "secret"}, "token": "secret"})
    logging.getLogger().removeHandler(listener)

    (line,) = lines
    assert line["login"] == {"password": "***"}
    assert line["token"] == "***"
