"""``OTEL_PROPAGATORS``: the names of the formats, in a process of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from otel_aiohttp_logs._settings import Options, read_settings

SPAN = "00f067aa0ba902b7"
# The same request in each format, each with a trace of its own.
HEADERS = {
    "tracecontext": ("traceparent", f"00-{'a' * 32}-{SPAN}-01"),
    "baggage": ("baggage", "user=42"),
    "b3": ("b3", f"{'b' * 32}-{SPAN}-1"),
    "jaeger": ("uber-trace-id", f"{'c' * 32}:{SPAN}:0:1"),
}
SENT = {
    "tracecontext": {"traceparent"},
    "baggage": {"baggage"},
    "b3": {"b3"},
    "b3multi": {"x-b3-traceid", "x-b3-spanid", "x-b3-sampled"},
    "jaeger": {"uber-trace-id", "uberctx-user"},
}


@pytest.mark.parametrize(
    ("names", "continued"),
    [
        ("tracecontext", "a"),
        ("baggage", None),
        ("b3", "b"),
        ("b3multi", "b"),
        ("jaeger", "c"),
        ("tracecontext,baggage", "a"),
        ("baggage,tracecontext", "a"),
        ("tracecontext,b3", "b"),
        ("b3,tracecontext", "a"),
        ("b3,b3multi", "b"),
        ("tracecontext,baggage,b3,b3multi,jaeger", "c"),
        (" b3 , tracecontext ", "a"),
        ("b3,b3,b3", "b"),
        ("none", None),
        ("b3,none", None),
        ("None", None),
        ("", "a"),
    ],
)
def test_the_variable_names_the_formats(service, names, continued):
    """
    Of several the later goes before the earlier; all are written, one that is named
    twice once; none is none, whatever else is named.
    """
    answer = service(OTEL_PROPAGATORS=names).ask(*HEADERS.values())
    parts = [part.strip().lower() for part in names.split(",")]
    if names == "":
        parts = ["tracecontext", "baggage"]
    expected = set() if "none" in parts else {n for p in parts for n in SENT[p]}
    if "baggage" not in parts:
        expected -= {"uberctx-user"}
    if "jaeger" not in parts and "baggage" not in parts:
        assert answer.baggage == {}

    all_names = {name for names in SENT.values() for name in names}
    sent = [name for name, _ in answer.sent if name in all_names]
    assert (answer.trace_id == (continued or "-") * 32) == (continued is not None)
    assert sorted(sent) == sorted(expected)


@pytest.mark.parametrize(
    "value", ["w3c", "b3single", "tracecontext,zipkin", "B3", "tracecontext,,b3", ","]
)
def test_an_unknown_name_is_refused(value):
    """The error names the variable, its value, and what may be written."""
    with pytest.raises(ValueError, match="OTEL_PROPAGATORS") as raised:
        read_settings(Options(), {"OTEL_PROPAGATORS": value})

    assert str(raised.value) == (
        f"OTEL_PROPAGATORS is {value!r}: write one or more of tracecontext, baggage, "
        "b3, b3multi, jaeger, none, with commas between."
    )


def test_an_unknown_name_is_refused_at_start():
    """In a process of its own: the API fails at import, our error comes first."""
    code = (
        "from aiohttp import web\n"
        "from otel_aiohttp_logs import client_trace_config, instrument_app\n"
        "client_trace_config()\n"
        "instrument_app(web.Application())\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path), "OTEL_PROPAGATORS": "b33"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert shown.stderr.splitlines()[-1] == (
        "ValueError: OTEL_PROPAGATORS is 'b33': write one or more of tracecontext, "
        "baggage, b3, b3multi, jaeger, none, with commas between."
    )


def test_what_other_packages_bring_is_accepted(tmp_path):
    """A name that is an entry point of an installed package is used as it is."""
    (tmp_path / "other.py").write_text(
        "from opentelemetry.baggage.propagation import W3CBaggagePropagator\n"
        "class Other(W3CBaggagePropagator):\n"
        "    def inject(self, carrier, context=None, setter=None):\n"
        "        carrier['other'] = 'yes'\n"
    )
    info = tmp_path / "other-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[opentelemetry_propagator]\nother = other:Other\n"
    )
    code = (
        "from otel_aiohttp_logs._settings import Options, read_settings\n"
        "from otel_aiohttp_logs.span.propagation import injector\n"
        "from opentelemetry.context import Context\n"
        "read_settings(Options())\n"
        "carrier = {}\n"
        "injector()(carrier, Context())\n"
        "print(carrier)\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PYTHONPATH": ":".join([str(tmp_path), *sys.path]),
            "OTEL_PROPAGATORS": "other,b3",
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert shown.stdout == "{'other': 'yes'}\n"
