"""
A service of its own that says what it knew of each request, and one client's raw bytes.

    python served_raw.py < requests        one a line, as JSON texts

The events go to stdout. Of each request's span one line more goes there, from a signal
that also sees what no handler does.
"""

from __future__ import annotations

import asyncio
import json
import sys

from aiohttp import web
from opentelemetry import trace

from otel_aiohttp_logs import bind, instrument_app


async def answer(request: web.Request) -> web.StreamResponse:
    how = request.query.get("how", request.match_info.get("how", ""))
    if how == "cloned":
        request = request.clone(rel_url="/elsewhere")
        how = "streamed"
    if how == "bound":
        bind(user_id=7, route="mine")
    elif how == "streamed":
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"served")
        await response.write_eof()
        return response
    elif how == "raises":
        raise ValueError(how)
    elif how == "moved":
        raise web.HTTPFound("/")
    elif how == "many":
        trace.get_current_span().set_attributes({f"a{i}": i for i in range(140)})
    elif how == "ended":
        trace.get_current_span().end()
    return web.Response(text="served", status=int(request.query.get("status", "200")))


async def say(_: web.Request, response: web.StreamResponse) -> None:
    span = trace.get_current_span()
    said = {
        "status": response.status,
        "name": getattr(span, "name", None),  # one that isn't recorded has none
        "attributes": list(getattr(span, "attributes", {}).items()),
        "parent": repr(getattr(span, "parent", None)),
        "trace_id": span.get_span_context().trace_id,
        "flags": span.get_span_context().trace_flags,
        "request_id": response.headers["X-Request-ID"],
        "recording": span.is_recording(),
    }
    print(json.dumps(said, default=repr), flush=True)


async def talk(port: int, raw: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw.encode("latin-1"))
    while await asyncio.wait_for(reader.read(65536), 10):
        pass
    writer.close()


async def main() -> None:
    app = web.Application()
    app.router.add_route("*", "/{how}", answer)
    app.router.add_get("/orders/{id}", answer)
    instrument_app(app, output="json", request_id_header="X-Trusted")
    app.on_response_prepare.append(say)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    for line in sys.stdin:
        await talk(runner.addresses[0][1], json.loads(line))
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
