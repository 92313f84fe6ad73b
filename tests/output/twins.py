"""One record through both forms of our handlers, for tests that compare them."""

from __future__ import annotations

import io
import logging
import sys
from contextlib import contextmanager, redirect_stdout

from otel_aiohttp_logs.export.backlog import Backlog
from otel_aiohttp_logs.export.weight import weigh_log
from otel_aiohttp_logs.output.gunicorn import GunicornLoggers
from otel_aiohttp_logs.output.json_lines import JSONFormatter
from otel_aiohttp_logs.output.stdout import StdoutHandler
from otel_aiohttp_logs.record.handler import OutletHandler
from otel_aiohttp_logs.record.said import said
from otel_aiohttp_logs.record.twins import native


class Handlers:
    """Ours, as they stand on the root logger, with what they passed on."""

    def __init__(self) -> None:
        self.logs: list = []
        self.outlet = OutletHandler(access_lines=False)
        self.outlet.outlets = (lambda _, log: self.logs.append(log),)
        self.gunicorn = GunicornLoggers(self.outlet)
        self.stdout = StdoutHandler(JSONFormatter(), (self.outlet,), access_lines=False)

    @contextmanager
    def attached(self):
        """Only they hear what anybody has to say."""
        root = logging.getLogger()
        before = root.handlers[:]
        root.handlers[:] = [self.outlet, self.stdout]
        try:
            yield
        finally:
            root.handlers[:] = before

    def compiled(self, record):
        """Return what goes out, flat and as a line, by ``handle``."""
        return self._both(record, self.outlet.handle, self.stdout.handle)

    def python(self, record):
        """Return the same by the Python functions alone."""
        return self._both(
            record,
            lambda record: OutletHandler.handle(self.outlet, record),
            self._plain_line,
        )

    def queued(self, record):
        """Return what waits where the exporter's queue is the only outlet."""
        queue, before = Backlog(10, 10, weigh_log), self.outlet.outlets
        self.outlet.outlets = (queue.put_log,)
        self.outlet.handle(record)
        self.outlet.outlets = before
        return queue.take()

    def shown(self, record, show=None):
        """Return what goes to stdout."""
        with redirect_stdout(io.StringIO()) as out:
            (show or self.stdout.handle)(record)
        return out.getvalue()

    def event(self, *args):
        """Return whether an event needed no record, and what went to stdout."""
        ours = (self.outlet, self.stdout, self.gunicorn, JSONFormatter)
        with redirect_stdout(io.StringIO()) as out:
            written = native.write_event(*ours, "aiohttp.access", *args)
        return written, out.getvalue()

    def watched(self, record):
        """Return that, and the names of the Python functions called on the way."""
        called: list = []

        def watch(frame, event, _) -> None:
            if event == "call":
                called.append(frame.f_code.co_name)

        def show(record) -> None:
            sys.setprofile(watch)
            try:
                self.stdout.handle(record)
            finally:
                sys.setprofile(None)

        return self.shown(record, show), called

    def _both(self, record, pass_on, show):
        before = len(self.logs)
        passed = pass_on(record)
        line = self.shown(record, show)
        return passed, self.logs[before:], line

    def _plain_line(self, record) -> None:
        line = self.stdout.formatter._line(record, said(record))
        sys.stdout.write(f"{line}\n")


def typed(value):
    """Return *value* so that what is equal is of the same type, too: 1 and True."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [typed(item) for item in value]
    return type(value), repr(value)
