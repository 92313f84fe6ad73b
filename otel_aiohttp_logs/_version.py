"""
The version, which ``pyproject.toml`` takes from here.

Asking the installed package's metadata takes a sixth of the whole import.
"""

VERSION = "0.1.0"
