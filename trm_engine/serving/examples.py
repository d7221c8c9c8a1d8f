"""Puzzles that ship with the program, so that there is something to look at before anything is trained."""

from __future__ import annotations

import json
from importlib.resources import files

EXAMPLES: list[dict[str, object]] = json.loads(
    files("trm_engine.serving").joinpath("examples.json").read_text(encoding="utf-8")
)
"""Puzzles with their solutions, several of each kind and size; made for this program."""
