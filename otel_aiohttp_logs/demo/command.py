"""``otel-aiohttp-logs demo``: its arguments."""

from __future__ import annotations

import argparse
import math

NAME = "demo"
HELP = "watch two services under traffic, and their requests told apart"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Runs two small aiohttp services in two processes, sends them requests that "
        "come at the same time, shows the lines as they are logged, and then the lines "
        "and spans of a few requests told apart. Nothing leaves this machine."
    )
    parser.add_argument(
        "--seconds",
        type=_positive,
        metavar="N",
        help="send requests for N seconds, then end (default: until Ctrl-C)",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        default=4.0,
        metavar="N",
        help="requests a second, at most 50 (default: 4)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=0,
        help="port of the shop, for requests of your own (default: a free one)",
    )
    parser.add_argument(
        "--otlp-port",
        type=_port,
        default=0,
        metavar="PORT",
        help="port of the embedded OTLP receiver (default: a free one)",
    )
    parser.add_argument(
        "--color",
        action=argparse.BooleanOptionalAction,
        help="colours, or none (default: if standard output is a terminal)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo and return the status to end with."""
    # Imported here, so that other commands need not wait for aiohttp's client.
    from otel_aiohttp_logs.demo.run import Demo, run_demo  # noqa: PLC0415

    return run_demo(
        Demo(
            seconds=args.seconds,
            rate=args.rate,
            port=args.port,
            otlp_port=args.otlp_port,
            color=args.color,
        )
    )


def _positive(text: str) -> float:
    number = float(text)
    if not (0 < number < math.inf):
        msg = f"{text} is not more than 0"
        raise argparse.ArgumentTypeError(msg)
    return number


def _rate(text: str) -> float:
    if _positive(text) > 50:
        msg = f"{text} is more than 50"
        raise argparse.ArgumentTypeError(msg)
    return float(text)


def _port(text: str) -> int:
    if not (0 <= int(text) <= 65535):
        msg = f"{text} is not from 0 to 65535"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
