"""The values and names that are bound: safe, bounded, and where a field goes first."""

from __future__ import annotations

import copy
import logging
import logging.handlers
import pickle
import queue

from aiohttp import web

from otel_aiohttp_logs import bind

log = logging.getLogger("shop")


def app_with(handler, *middlewares):
    app = web.Application(middlewares=middlewares)
    app.router.add_get("/{n}", handler)
    return app


class Hostile:
    def __repr__(self):
        raise RuntimeError("no")

    @property
    def __class__(self):
        raise RuntimeError("no")


async def test_values_of_all_kinds(instrumented, arrived, said):
    """Values are copied and bounded, names hide nothing; it never raises."""
    cart = {"tea": [1, 2]}

    async def handler(request):
        bind(
            cart=cart,
            none=None,
            sizes=[1, 2],
            mixed=[1, "two"],
            long="x" * 5000,
            broken=Hostile(),
            trace_id="mine",
            **{"": 1, "service.name": "x", "n" * 500: 2, "\udcff": 3},
        )
        cart["tea"].append("changed since")
        log.info("bound")
        return web.Response()

    client = await instrumented(app_with(handler))
    await client.get("/1")

    (span,) = await arrived.served()
    fields = said("bound")
    assert fields.pop("long").startswith("x" * 1024)
    (long_name,) = [name for name in fields if name.startswith("nnn")]
    assert len(long_name) < 130
    del fields[long_name]
    assert fields == {
        "cart": {"tea": [1, 2]},
        "none": None,
        "sizes": [1, 2],
        "mixed": [1, "two"],
        "broken": "<unprintable Hostile>",
        "extra.trace_id": "mine",
        "extra.": 1,
        "extra.service.name": "x",
        "\\udcff": 3,
    }
    assert span.attributes["cart"] == '{"tea": [1, 2]}'
    assert span.attributes["sizes"] == [1, 2]
    assert span.attributes["mixed"] == '[1, "two"]'
    assert span.attributes["extra.trace_id"] == "mine"
    assert len(span.attributes["long"]) < 2200


async def test_too_many(instrumented, said):
    """Of more fields than fit the first are kept, and the rest is counted."""

    async def handler(request):
        for number in range(300):
            bind(**{f"field{number}": number})
        bind(field0="again")
        log.info("bound")
        return web.Response()

    client = await instrumented(app_with(handler))
    await client.get("/1")

    fields = said("bound")
    assert len(fields) == 64
    assert fields["field0"] == "again"
    assert fields["field62"] == 62
    assert fields["bound.left_out"] == 300 - 63


def test_formatters_of_the_application(stamped, records):
    """
    They find what is bound on the record, also when it comes out of another process;
    what ``logging`` put there stays.
    """
    bind(user=7, name="bound", lineno="bound")
    log.info("hello")

    (record,) = records
    for shown in (record, pickle.loads(pickle.dumps(record))):
        text = logging.Formatter("%(user)s %(name)s %(message)s").format(shown)
        assert text == "7 shop hello"
        assert shown.lineno > 0


def test_a_queue_in_between(stamped, records, said):
    """A record that is handled later has what was bound where it was made."""
    waiting = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(waiting)
    log.addHandler(handler)
    bind(user=7)
    log.info("hello")
    log.info("copied")
    log.removeHandler(handler)
    bind(user=8)
    records[:] = [waiting.get_nowait(), copy.copy(records[-1])]

    assert said("hello") == {"user": 7}
    assert said("copied") == {"user": 7}


def test_a_record_from_afar(stamped, said, records):
    """What is bound where a record of another process is read is no field of it."""
    bind(reader=1)
    sent = {"name": "shop", "levelno": 20, "levelname": "INFO", "msg": "hello"}
    log.handle(logging.makeLogRecord({**sent, "user": 7}))

    assert said("hello") == {"user": 7}
    assert not hasattr(records[0], "reader")


async def test_extra_goes_first(stamped, said):
    """The field of a line's own ``extra`` is what the line shows."""
    bind(user=7, levelname="x")

    log.info("hello", extra={"user": 8})

    assert said("hello") == {"user": 8, "levelname": "x"}
