"""Screens as text that a person can read in a review: the characters, then the colours of each line.

`TRM_UPDATE_PICTURES=1 pytest …` writes the pictures anew.
"""

from __future__ import annotations

import os
from pathlib import Path

from textual.app import App

FOLDER = Path(__file__).parent / "pictures"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def text_of(app: App[object]) -> str:
    """Return the screen's characters."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def colours_of(app: App[object]) -> str:
    """Return a legend of the styles on the screen, and each line as runs of them."""
    legend: dict[str, str] = {}
    lines = []
    for strip in app.screen._compositor.render_strips():
        runs: list[list[object]] = []
        for segment in strip:
            style = segment.style
            parts = [
                word
                for word, on in (("bold", style.bold), ("dim", style.dim), ("underline", style.underline))
                if on
            ]
            colour = style.color.name if style.color else "default"
            background = style.bgcolor.name if style.bgcolor else "default"
            name = " ".join([*parts, colour, "on", background])
            letter = legend.setdefault(name, _LETTERS[len(legend)] if len(legend) < len(_LETTERS) else "?")
            if runs and runs[-1][0] == letter:
                runs[-1][1] += len(segment.text)  # type: ignore[operator]
            else:
                runs.append([letter, len(segment.text)])
        lines.append(" ".join(f"{letter}{count}" for letter, count in runs))
    return "\n".join([*(f"{letter}: {name}" for name, letter in legend.items()), "", *lines])


def assert_looks_as_before(app: App[object], name: str, *, colours: bool = True) -> None:
    """Compare the screen with its picture in `pictures/`."""
    now = text_of(app) + ("\n\n--- colours ---\n" + colours_of(app) if colours else "") + "\n"
    file = FOLDER / f"{name}.txt"
    if os.environ.get("TRM_UPDATE_PICTURES"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(now, encoding="utf-8")
    assert now == file.read_text(encoding="utf-8"), f"the screen differs from {file.name}"
