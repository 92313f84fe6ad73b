"""The hooks of PEP 517 that pip calls, answered without building anything."""

from __future__ import annotations

import os
from pathlib import Path


def get_requires_for_build_wheel(_: object = None) -> list[str]:
    return []


def prepare_metadata_for_build_wheel(folder: str, _: object = None) -> str:
    name, version = os.environ["SDIST_NAME"], os.environ["SDIST_VERSION"]
    info = f"{name}-{version}.dist-info"
    Path(folder, info).mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    Path(folder, info, "METADATA").write_text(text)
    return info
