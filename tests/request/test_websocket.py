"""The messages of a WebSocket are told apart: by number, and by span if wanted."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import weakref

import pytest
from websocket_talks import NUMBER, app_of, log, numbers, say

pytestmark = pytest.mark.usefixtures("records")  # lines from INFO on


async def test_sockets_that_take_turns(instrumented, arrived):
    """
    Each line has the number of its message, also in tasks, threads and after
    awaiting, while 20 sockets take turns; each socket counts for itself.
    """

    async def later(text):
        await asyncio.sleep(random.random() / 200)
        log.info("task %s", text)

    async def talk(socket):
        async for message in socket:
            log.info("got %s", message.data)
            task = asyncio.create_task(later(message.data))
            await asyncio.sleep(random.random() / 200)
            await asyncio.to_thread(log.info, "thread %s", message.data)
            await task
            await socket.send_str("ok")
            log.info("sent %s", message.data)

    client = await instrumented(app_of(talk))

    talks = [([f"{n} #{m}" for m in range(1, 6)], f"/talk/{n}") for n in range(20)]
    await asyncio.gather(*(say(client, *each) for each in talks))

    lines = await arrived.lines(20 * (5 * 4 + 2))
    spans = {s.attributes["url.path"]: s for s in await arrived.served(20)}
    for text, number in numbers(lines):
        numbered = "#" in text
        assert number == (int(text.split("#")[1]) if numbered else None), text
    for line in lines:
        if "#" in line.body:
            span = spans[f"/talk/{line.body.split()[1]}"]
            assert (line.trace_id, line.span_id) == (span.trace_id, span.span_id)


async def str_and_json(socket):
    log.info("%s", await socket.receive_str())
    log.info("%s", await socket.receive_json())
    log.info("%s", await socket.receive_bytes())
    log.info("%s", (await socket.receive()).data)


async def test_each_way_to_receive(instrumented, arrived):
    """A number a message, however the handler asks for it."""
    client = await instrumented(app_of(str_and_json))

    async with client.ws_connect("/talk/1") as socket:
        await socket.send_str("a")
        await socket.send_json("b")
        await socket.send_bytes(b"c")
        await socket.send_str("d")
        await socket.receive(timeout=5)

    assert numbers(await arrived.lines(6)) == [
        ("open", None),
        ("a", 1),
        ("b", 2),
        ("b'c'", 3),
        ("d", 4),
        ("left", 4),
    ]


async def test_the_access_line_is_no_message_s(instrumented, arrived):
    """After the handler the lines are the request's own again, without a number."""
    client = await instrumented(app_of(str_and_json), websocket_spans=True)

    async with client.ws_connect("/talk/1") as socket:
        await socket.send_str("a")
        await socket.send_json("b")
        await socket.send_bytes(b"c")
        await socket.send_str("d")
        await socket.receive(timeout=5)

    (request,) = await arrived.served(1)
    (line,) = await arrived.lines(1, scope="aiohttp.access")
    assert line.span_id == request.span_id
    assert NUMBER not in line.attributes


async def test_what_is_no_message(instrumented, arrived):
    """A time-out and a closing frame end the handling of the message before."""

    async def talk(socket):
        log.info("%s", await socket.receive_str())
        with pytest.raises(asyncio.TimeoutError):
            await socket.receive(timeout=0.01)
        log.info("nothing came")
        await socket.send_str("go on")
        log.info("%s", await socket.receive_str())
        log.info("%s", (await socket.receive()).type.name)

    client = await instrumented(app_of(talk))

    async with client.ws_connect("/talk/1") as socket:
        await socket.send_str("a")
        assert await socket.receive_str(timeout=5) == "go on"
        await socket.send_str("b")
        await socket.close(code=4000)

    assert numbers(await arrived.lines(6)) == [
        ("open", None),
        ("a", 1),
        ("nothing came", None),
        ("b", 2),
        ("CLOSE", None),
        ("left", None),
    ]


async def test_a_message_received_in_another_task(instrumented, arrived):
    """
    A line never has the number of another message, even if the one in hand came by
    way of a task of its own, and has none then.
    """

    async def talk(socket):
        log.info("%s", await socket.receive_str())
        log.info("%s", await asyncio.wait_for(socket.receive_str(), 5))
        log.info("%s", await asyncio.create_task(socket.receive_str()))

    client = await instrumented(app_of(talk))

    async with client.ws_connect("/talk/1") as socket:
        for text in "abc":
            await socket.send_str(text)
        await socket.receive(timeout=5)

    second = 2 if sys.version_info >= (3, 12) else None
    shown = numbers(await arrived.lines(5))
    assert shown[1:4] == [("a", 1), ("b", second), ("c", None)]


async def test_a_field_bound_by_an_earlier_message(instrumented, arrived):
    """An application's own field under our name stays its own."""

    async def talk(socket):
        await socket.receive_str()
        log.info("mine", extra={NUMBER: "first"})

    client = await instrumented(app_of(talk))
    async with client.ws_connect("/talk/1") as socket:
        await socket.send_str("a")
        await socket.receive(timeout=5)

    assert ("mine", "first") in numbers(await arrived.lines(3))


async def test_the_socket_is_as_it_was_afterwards(instrumented, serve, arrived):
    """
    We leave no circle of references: the socket goes when its handler has gone, if
    it does so without us.
    """
    seen = []

    async def talk(socket):
        seen.append(weakref.ref(socket))
        await socket.receive_str()
        await socket.send_str("ok")

    plain, ours = await serve(app_of(talk)), await instrumented(app_of(talk))
    gc.disable()
    try:
        await say(plain, ["a"])
        await say(ours, ["a"])
        await arrived.served(1)

        without_us, with_us = (ref() is None for ref in seen)
        assert with_us == without_us
    finally:
        gc.enable()
