"""What both formatters answer to arguments that are none of theirs."""

from __future__ import annotations


def refuse_format(kind: str, fmt: str | None, datefmt: str | None) -> None:
    """Raise ``ValueError`` if ``dictConfig`` or a call gives a format."""
    for name, value in (("format", fmt), ("datefmt", datefmt)):
        if value is not None:
            msg = (
                f"{kind} has no {name} (it was given {value!r}), its form is fixed: "
                "leave it out, or use logging.Formatter."
            )
            raise ValueError(msg)
