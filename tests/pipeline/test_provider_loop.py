"""A LoggerProvider that logs while it emits, as the SDK does about its limits."""

from __future__ import annotations

import logging

from opentelemetry._logs import Logger, LoggerProvider

from otel_aiohttp_logs.pipeline.provider import provider_outlet
from otel_aiohttp_logs.record.handler import OutletHandler
from otel_aiohttp_logs.record.stamping import Stamping


class Chatty(LoggerProvider):
    """Warns of each record that it's given."""

    def __init__(self):
        self.bodies = []

    def get_logger(self, name, version=None, schema_url=None, attributes=None):
        bodies = self.bodies

        class ChattyLogger(Logger):
            def emit(self, record=None, **_):
                bodies.append(record.body)
                logging.getLogger("chatty").warning("a record came")

            def enabled(self, *_, **__):
                return True

        return ChattyLogger(name)


def test_what_it_says_is_not_emitted_again():
    """Each line is emitted once; what the provider says of it is for other handlers."""
    provider, stamping, handler = Chatty(), Stamping(), OutletHandler()
    handler.outlets = (provider_outlet(provider),)
    stamping.ensure()
    logging.getLogger().addHandler(handler)
    try:
        logging.getLogger("shop").warning("one")
        logging.getLogger("shop").warning("two")
    finally:
        logging.getLogger().removeHandler(handler)
        stamping.undo()

    assert provider.bodies == ["one", "two"]
