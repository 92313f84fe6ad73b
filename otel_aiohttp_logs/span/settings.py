"""What the variables say of spans: their limits, and how contexts travel."""

from __future__ import annotations

from otel_aiohttp_logs._environment import Environment, bad
from otel_aiohttp_logs.span.limits import Limits, RecordLimits

PROPAGATORS = ("tracecontext", "baggage", "b3", "b3multi", "jaeger", "none")
_COUNT = "OTEL_ATTRIBUTE_COUNT_LIMIT"
_LENGTH = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"


def limits(env: Environment) -> Limits:
    """
    Return the limits; what has no variable of its own has the general one.

    Raises ``ValueError`` on a bad one.
    """

    def count(what: str) -> int:
        general = env.number(_COUNT, 128)
        return env.number(f"OTEL_{what}_ATTRIBUTE_COUNT_LIMIT", general)

    return Limits(
        attributes=count("SPAN"),
        events=env.number("OTEL_SPAN_EVENT_COUNT_LIMIT", 128),
        links=env.number("OTEL_SPAN_LINK_COUNT_LIMIT", 128),
        event_attributes=count("EVENT"),
        link_attributes=count("LINK"),
        value_length=_number(env, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", _LENGTH),
        inner_value_length=_number(env, _LENGTH),
    )


def record_limits(env: Environment) -> RecordLimits:
    """Return the limits of log records, as ``limits`` does."""
    return RecordLimits(
        attributes=_number(env, "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", _COUNT),
        value_length=_number(
            env, "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", _LENGTH
        ),
    )


def _number(env: Environment, *names: str) -> int | None:
    name, text = env.first(names, "")
    return env.number(name, 0) if text else None


def check_propagators(env: Environment) -> None:
    """
    Raise ``ValueError`` if ``OTEL_PROPAGATORS`` has a name that nobody knows.

    Other packages may bring propagators of their own, as entry points.
    """
    name = "OTEL_PROPAGATORS"
    text = env.text(name, "tracecontext,baggage")
    names = {part.strip() for part in text.split(",")}
    wanted = f"one or more of {', '.join(PROPAGATORS)}, with commas between"
    others = {part for part in names if part.lower() != "none"} - {*PROPAGATORS}
    # Only then: looking through all that is installed takes a while.
    if others and not others <= _installed():
        raise bad(name, text, wanted)
    try:
        # It loads them all; better now than with the first request.
        import opentelemetry.propagate  # noqa: F401, PLC0415
    except Exception as error:
        raise bad(name, text, wanted) from error


def _installed() -> set[str]:
    # Not at the top: it is a fifth of our whole import, and hardly ever needed.
    from importlib.metadata import entry_points  # noqa: PLC0415

    return {point.name for point in entry_points(group="opentelemetry_propagator")}
