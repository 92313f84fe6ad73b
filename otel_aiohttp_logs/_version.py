"""
The version, as ``pyproject.toml`` says it; a test compares the two.

Asking the installed package's metadata takes a sixth of the whole import.
"""

VERSION = "0.1.0"
