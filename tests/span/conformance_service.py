"""
A real service that says what it made of a request's headers, and calls another.

Run as a program, in the environment that is to be tested. It prints its port, and ends
when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import ClientSession, web
from opentelemetry import baggage, propagate, trace

from otel_aiohttp_logs import client_trace_config, instrument_app


async def show_headers(request):
    pairs = [
        [name.decode().lower(), value.decode("latin-1")]
        for name, value in request.raw_headers
    ]
    return web.json_response(pairs)


def handler(session, called):
    async def tell(_):
        span = trace.get_current_span()
        context = span.get_span_context()
        parent = getattr(span, "parent", None)
        async with session.get(called) as answer:
            sent = await answer.json()
        by_api = {}
        propagate.inject(by_api)
        return web.json_response(
            {
                "trace_id": f"{context.trace_id:032x}",
                "span_id": f"{context.span_id:016x}",
                "parent_id": f"{parent.span_id:016x}" if parent else None,
                "remote": bool(parent and parent.is_remote),
                "sampled": span.is_recording(),
                "flags": int(context.trace_flags),
                "state": context.trace_state.to_header(),
                "baggage": {
                    name: str(value) for name, value in baggage.get_all().items()
                },
                "sent": sent,
                "by_api": {name.lower(): value for name, value in by_api.items()},
            }
        )

    return tell


async def started(app, **limits):
    runner = web.AppRunner(app, access_log=None, **limits)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


async def main():
    called = web.Application()
    called.router.add_get("/", show_headers)
    called_runner, called_port = await started(called, max_field_size=16384)
    async with ClientSession(trace_configs=[client_trace_config()]) as session:
        app = web.Application()
        instrument_app(app, output="none")
        app.router.add_get("/", handler(session, f"http://127.0.0.1:{called_port}/"))
        runner, port = await started(app)
        print(port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await runner.cleanup()
    await called_runner.cleanup()


asyncio.run(main())
