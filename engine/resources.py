"""Where the files that ship with the program are: beside the package in a wheel, or in the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(*parts: str) -> Path:
    """Return the path of a shipped file or folder, such as `shipped("presets", "hardware")`.

    A wheel carries `presets/` inside the `engine` package, a checkout beside it. The path need not exist.
    """
    inside = _PACKAGE.joinpath(*parts[:1])
    return (_PACKAGE if inside.is_dir() else _PACKAGE.parent).joinpath(*parts)
