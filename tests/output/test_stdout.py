from __future__ import annotations

import json
import logging
import os
import pty
import subprocess
import sys
import textwrap
import threading

import pytest

from otel_aiohttp_logs.output.console import ConsoleFormatter
from otel_aiohttp_logs.output.json_lines import JSONFormatter
from otel_aiohttp_logs.output.stdout import handled_elsewhere, stdout_handler
from otel_aiohttp_logs.record.twins import make_record

START = """
import logging, os, sys
from otel_aiohttp_logs.output.stdout import stdout_handler
from otel_aiohttp_logs.record.stamping import Stamping
from otel_aiohttp_logs.record.twins import make_record
Stamping(make_record).ensure()
handler = stdout_handler({output!r})
root = logging.getLogger()
root.setLevel("INFO")
root.addHandler(handler)
"""


def run(code, output="json", **kwargs):
    """Run *code* in a process of its own, with the handler on its root logger."""
    # Else a line that isn't flushed would arrive all the same.
    kwargs["env"] = {**kwargs.get("env", os.environ), "PYTHONUNBUFFERED": ""}
    return subprocess.run(
        [sys.executable, "-c", START.format(output=output) + textwrap.dedent(code)],
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        **{"stdout": subprocess.PIPE, **kwargs},
    )


def messages(process):
    assert process.returncode == 0, process.stderr.decode()
    return [json.loads(line)["message"] for line in process.stdout.splitlines()]


@pytest.mark.parametrize("output", ["auto", "json"])
def test_json_on_a_pipe(output):
    """Where stdout is no terminal each record is a line of JSON there, at once."""
    seen = run(
        """
        logging.getLogger("shop").info("one")
        logging.getLogger("shop.orders").error("two %s", "grün")
        os._exit(0)
        """,
        output,
    )

    assert messages(seen) == ["one", "two grün"]
    assert seen.stderr == b""


@pytest.mark.parametrize(
    ("output", "mark"), [("auto", "\x1b[32mINFO"), ("json", '{"timestamp"')]
)
def test_on_a_terminal(output, mark):
    """On a terminal ``auto`` is the form for people, and json stays json."""
    ours, theirs = pty.openpty()
    seen = run('logging.getLogger("shop").info("hello")', output, stdout=theirs)
    text = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)

    assert seen.returncode == 0
    assert mark in text
    assert "hello" in text


@pytest.mark.parametrize(
    ("output", "kind"), [("json", JSONFormatter), ("console", ConsoleFormatter)]
)
def test_output_says_which_form(output, kind):
    """``json`` and ``console`` are what they say, ``none`` is no handler."""
    assert type(stdout_handler(output).formatter) is kind
    assert stdout_handler("none") is None


def test_console_on_a_pipe():
    """``console`` is for people also where stdout is a pipe."""
    seen = run('logging.getLogger("shop").info("hello")', "console")

    assert b"hello" in seen.stdout
    assert not seen.stdout.startswith(b"{")


def test_stays_behind_what_was_printed():
    """What the application had printed before a line comes before it."""
    seen = run(
        """
        print('{"message": "printed"}')
        logging.getLogger("shop").info("logged")
        sys.stdout.write('{"message": ')
        sys.stdout.write('"after"}\\n')
        logging.getLogger("shop").info("last")
        os._exit(0)
        """
    )

    assert messages(seen) == ["printed", "logged", "after", "last"]


def test_writes_to_the_current_stdout():
    """A line goes to what ``sys.stdout`` is at that moment."""
    seen = run(
        """
        import contextlib, io
        with contextlib.redirect_stdout(io.StringIO()) as other:
            root.info("there")
        root.info("here")
        assert '"message":"there"' in other.getvalue()
        """
    )

    assert messages(seen) == ["here"]


@pytest.mark.parametrize(
    "prepare",
    [
        "sys.stdout.close()",
        "sys.stdout = None",
        "os.close(1)",
        "os.dup2(os.open('/dev/full', os.O_WRONLY), 1)",
    ],
)
def test_stdout_is_gone(prepare):
    """Without a stdout nothing is raised, and each lost line is counted."""
    seen = run(
        f"""
        {prepare}
        root.info("one")
        root.info("two")
        print(handler.lost, file=sys.stderr)
        os._exit(0)
        """
    )

    assert seen.returncode == 0
    assert seen.stderr.split() == [b"2"]


def test_reader_went_away():
    """When the reader of a pipe goes away the program goes on and counts."""
    code = START.format(output="json") + (
        "root.info('one')\n"
        "sys.stdin.readline()\n"
        "for i in range(3):\n"
        "    root.info('lost')\n"
        "print(handler.lost, file=sys.stderr)\n"
        "os._exit(0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert json.loads(process.stdout.readline())["message"] == "one"
        process.stdout.close()
        process.stdin.write(b"\n")
        process.stdin.close()
        lost = process.stderr.read()
        process.wait(60)

    assert process.returncode == 0
    assert lost.split() == [b"3"]


@pytest.mark.parametrize(("output", "shown"), [("json", True), ("console", False)])
def test_stdout_that_is_not_unicode(output, shown):
    """Where stdout takes ASCII only, other text is escaped and nothing is lost."""
    seen = run(
        "root.info('grün 🙂'); sys.exit(handler.lost)",
        output,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )

    assert seen.returncode == 0
    assert b"gr\\u00fcn \\ud83d\\ude42" in seen.stdout
    assert not shown or messages(seen) == ["grün 🙂"]


def test_lines_of_threads_do_not_mix():
    """Lines of several threads are whole."""
    seen = run(
        """
        import threading
        def work(name):
            for i in range(200):
                logging.getLogger(name).info("%s %d %s", name, i, "x" * 3000)
        threads = [threading.Thread(target=work, args=(n,)) for n in "abcd"]
        for t in threads: t.start()
        for t in threads: t.join()
        """
    )

    lines = messages(seen)
    for name in "abcd":
        mine = [line.split()[1] for line in lines if line.startswith(name)]
        assert mine == [str(i) for i in range(200)]
    assert len(lines) == 800


@pytest.mark.parametrize("kind", [logging.LogRecord, make_record])
def test_takes_its_lock(capsys, kind):
    """While its lock is held a line waits, as with every handler of logging."""
    logging.getLogger("output.lock")  # else nobody has it
    handler = stdout_handler("json", ours=logging.getLogger().handlers)
    record = kind("output.lock", 20, "a.py", 7, "waits", (), None)
    thread = threading.Thread(target=handler.handle, args=(record,))
    with handler.lock:
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        assert capsys.readouterr().out == ""
    thread.join(10)

    assert json.loads(capsys.readouterr().out)["message"] == "waits"


def test_filters_are_asked(capsys):
    """A filter on the handler decides."""
    handler = stdout_handler("json", ours=logging.getLogger().handlers)
    handler.addFilter(lambda record: record.msg != "secret")
    for text in ("secret", "open"):
        handler.handle(logging.makeLogRecord({"msg": text, "name": "output.filters"}))

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["message"] == "open"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="filters only say yes or no")
def test_filters_may_replace_the_record(capsys):
    """A filter may put another record in the place of the one that it's given."""
    handler = stdout_handler("json", ours=logging.getLogger().handlers)
    handler.addFilter(lambda record: logging.makeLogRecord({"msg": f"{record.msg}!"}))
    for text in ("one", "two"):
        handler.handle(logging.makeLogRecord({"msg": text, "name": "output.filters"}))

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["one!", "two!"]


def test_a_formatter_that_fails(capsys):
    """A formatter of the application's that raises is counted as a lost line."""
    handler = stdout_handler("json", ours=logging.getLogger().handlers)
    handler.setFormatter(logging.Formatter("%(missing)s"))
    handler.handle(logging.makeLogRecord({"msg": "x", "name": "output.failing"}))

    assert handler.lost == 1
    assert capsys.readouterr() == ("", "")


def test_no_line_twice():
    """What a handler of the application's own gets isn't written a second time."""
    seen = run(
        """
        own = logging.StreamHandler(sys.stderr)
        logging.getLogger("shop").addHandler(own)
        logging.getLogger("lib").addHandler(logging.NullHandler())
        alone = logging.getLogger("alone")
        alone.addHandler(own)
        alone.propagate = False
        for name in ("shop", "shop.orders", "lib", "stock", "alone"):
            logging.getLogger(name).warning(name)
        """
    )

    assert messages(seen) == ["lib", "stock"]
    assert seen.stderr.split() == [b"shop", b"shop.orders", b"alone"]


def test_no_line_twice_with_a_handler_on_the_root():
    """A handler on the root logger gets everything, whenever it comes."""
    seen = run(
        """
        log = logging.getLogger("shop")
        log.info("before")
        own = logging.StreamHandler(sys.stderr)
        root.addHandler(own)
        log.info("while")
        root.removeHandler(own)
        log.info("after")
        """
    )

    assert messages(seen) == ["before", "after"]
    assert seen.stderr.split() == [b"while"]


class TestHandledElsewhere:
    @pytest.fixture(autouse=True)
    def _tree(self):
        """The loggers a, a.b and a.b.c, without what pytest has on the root."""
        self.loggers = [
            logging.getLogger(f"elsewhere.{n}") for n in ("a", "a.b", "a.b.c")
        ]
        self.ours = set(logging.getLogger().handlers)
        yield
        for logger in self.loggers:
            logger.handlers.clear()
            logger.propagate = True

    def seen(self):
        return [handled_elsewhere(logger.name, self.ours) for logger in self.loggers]

    @pytest.mark.parametrize(
        ("place", "expected"),
        [
            (0, [True, True, True]),
            (1, [False, True, True]),
            (2, [False, False, True]),
        ],
    )
    def test_on_the_way_up(self, place, expected):
        """A handler gets the records of its logger and of those below."""
        assert self.seen() == [False, False, False]
        self.loggers[place].addHandler(logging.StreamHandler())
        assert self.seen() == expected

    @pytest.mark.parametrize("kind", ["null", "ours"])
    def test_handlers_that_do_not_count(self, kind):
        """``NullHandler`` and our own handlers aren't the application's."""
        handler = logging.NullHandler() if kind == "null" else logging.StreamHandler()
        self.loggers[0].addHandler(handler)
        if kind == "ours":
            assert self.seen() == [True, True, True]
            self.ours.add(handler)

        assert self.seen() == [False, False, False]

    def test_stops_where_nothing_is_passed_on(self):
        """A logger that passes nothing on has no handlers above."""
        self.loggers[0].addHandler(logging.StreamHandler())
        self.loggers[1].propagate = False

        assert self.seen() == [True, False, False]

    def test_names_without_a_logger(self):
        """A name without a logger counts as the nearest one above; none is made."""
        self.loggers[1].addHandler(logging.StreamHandler())
        name = "elsewhere.a.b.never.made"

        assert handled_elsewhere(name, self.ours)
        assert not handled_elsewhere("elsewhere.never.made", self.ours)
        assert not handled_elsewhere("root", self.ours)
        assert not handled_elsewhere("", self.ours)
        assert name not in logging.root.manager.loggerDict
