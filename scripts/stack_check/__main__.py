"""
``scripts/stack``: bring the stack up, check it, take it down.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

from stack_check.backends import cache
from stack_check.bring_up import bring_up, grafana_not_run
from stack_check.checks import ALL, run_checks
from stack_check.ground import InTheWayError, where_to_look
from stack_check.kept import Made, made_before, only_run, take_containers_away
from stack_check.report import Report, closing_line, say
from stack_check.shell import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from stack_check.ground import Ground

FAILED, IN_THE_WAY = 1, 2


def main() -> int:
    options = _options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        folder = cache()
        with only_run(folder):
            before = made_before(folder)
            if options.down:
                return _down(before)
            _make_room(before)
            return _run(options, folder)
    except InTheWayError as exc:
        print(f"scripts/stack: {exc}", file=sys.stderr)
        return IN_THE_WAY
    except CommandError as exc:
        print(f"scripts/stack: {exc}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("scripts/stack: interrupted, all is taken down", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace, folder: Path) -> int:
    made = Made(str(folder / "stack.json"), run=tempfile.mkdtemp(prefix="stack."))
    report = Report()
    with ExitStack() as at_exit:
        at_exit.callback(made.take_away)
        made.save()
        ground = bring_up(made, folder, options)
        say(f"up {ground.name}: {ground.up_seconds:.1f} s")
        checks = run_checks(report, ground, options.only, grafana=options.grafana)
        asyncio.run(checks)
        memory = ", ".join(f"{name} {used}" for name, used in ground.memory().items())
        if report.failed:
            print(ground.tail(), file=sys.stderr)
        if options.keep:
            ground.lines_by_otlp()
            at_exit.pop_all()
            made.kept = True
            made.save()
        else:
            _take_down(report, ground)
    report.print(ground.name)
    if not options.grafana:
        print(grafana_not_run(ground.model))
    print(f"Memory: {memory}")
    say("done")
    if options.keep:
        print("It keeps running; scripts/stack --down ends it.")
        print("\n".join(where_to_look(ground.model, grafana=options.grafana)))
    print(closing_line(len(report.rows) - report.failed, report.failed))
    return FAILED if report.failed else 0


def _take_down(report: Report, ground: Ground) -> None:
    with report.row(0, "down: nothing is left") as row:
        left = ground.down()
        row.count(f"{len(left)} containers, volumes and networks")
        row.none_of(left)


def _down(before: Made | None) -> int:
    if before is None:
        take_containers_away()
        say("nothing else was left")
    else:
        before.take_away()
        say("all of it is down")
    return 0


def _make_room(before: Made | None) -> None:
    """
    Take away what a run left that was killed; a stack that is kept is a person's.
    """
    if before is None:
        return
    if before.kept:
        msg = "a stack is kept running: end it first, with scripts/stack --down"
        raise InTheWayError(msg)
    say("a run before this one was killed: taking away what it left")
    before.take_away()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "scripts/stack", add_help=False, allow_abbrev=False
    )
    for name in ("--keep", "--down", "--processes", "--grafana"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--only", type=_numbers, default=list(ALL))
    options = parser.parse_args()
    if options.grafana and options.processes:
        parser.error("Grafana only runs in a container: not with --processes")
    return options


def _numbers(text: str) -> list[int]:
    words = text.split(",")
    if not {*words} <= {str(number) for number in ALL}:
        msg = "the checks are numbered 1 to 7; write --only 1,3"
        raise argparse.ArgumentTypeError(msg)
    return [int(word) for word in words]


def _end(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
