"""The compiled part: it speeds things up, and is left out where it can't be built."""

from __future__ import annotations

from pathlib import Path

from setuptools import Extension, setup

SOURCES = Path("otel_aiohttp_logs/_speed")

setup(
    ext_modules=[
        Extension(
            "otel_aiohttp_logs._speed._c",
            sources=sorted(str(path) for path in SOURCES.glob("*.c")),
            depends=sorted(str(path) for path in SOURCES.glob("*.h")),
            extra_compile_args=["-O2"],
            optional=True,
        )
    ]
)
