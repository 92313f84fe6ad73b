"""
The console script: one program, one sub-command for each thing that it can do.

A command is a module with ``NAME``, ``HELP``, ``add_arguments(parser)`` and
``run(args) -> int``; to add one, name it in ``COMMANDS``.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn, Protocol

from otel_aiohttp_logs.demo import command as demo

if TYPE_CHECKING:
    from collections.abc import Sequence


class Command(Protocol):
    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace) -> int: ...


PROGRAM = "otel-aiohttp-logs"
COMMANDS: tuple[Command, ...] = (demo,)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that *arguments* name and return the status to end with."""
    args = _parser().parse_args(arguments)
    command: Command = args.command
    return command.run(args)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with the whole help: whoever mistypes a command wants to see them all."""
        self.print_help(sys.stderr)
        self.exit(2, f"\n{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Each log line of an aiohttp service, and the request it is of.",
    )
    parser.add_argument(
        "--version", action="version", version=f"{PROGRAM} {version(PROGRAM)}"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        one = commands.add_parser(command.NAME, help=command.HELP)
        command.add_arguments(one)
        one.set_defaults(command=command)
    return parser
