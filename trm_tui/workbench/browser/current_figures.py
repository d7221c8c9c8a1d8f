"""How far a session has come whose summary is not written yet: the end of its metrics, and its best score."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import JsonValue

from trm_engine.sessions.layout import BEST, CHECKPOINTS, MAX_TEXT_BYTES, METRICS

_TAIL_BYTES = 8192
_FIGURES = {"step": "steps", "samples": "samples", "seconds": "seconds"}


def current_figures(folder: Path) -> dict[str, JsonValue]:
    """Return what is known of `steps`, `seconds`, `samples_per_second` and of the best score."""
    figures: dict[str, JsonValue] = {}
    last = _last_step(folder / METRICS)
    for source, name in _FIGURES.items():
        if isinstance(value := last.get(source), (int, float)):
            figures[name] = value
    samples, seconds = figures.get("samples"), figures.get("seconds")
    if isinstance(samples, (int, float)) and isinstance(seconds, (int, float)) and seconds > 0:
        figures["samples_per_second"] = samples / seconds
    best = _object(_tail(folder / CHECKPOINTS / BEST, MAX_TEXT_BYTES)).get("score")
    if isinstance(best, (int, float)):
        # The score of a text is its loss with a minus: that of a puzzle is never below zero.
        figures.update({"best_val_loss": -best} if best < 0 else {"best_exact_accuracy": best})
    return figures


def _last_step(path: Path) -> dict[str, JsonValue]:
    """Return the last whole record of a step; an empty one where there is none."""
    lines = _tail(path, _TAIL_BYTES).split(b"\n")
    for line in reversed(lines[:-1]):  # the last is torn, or empty
        record = _object(line)
        if record.get("event") == "step":
            return record
    return {}


def _tail(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - size, 0))
            return file.read(size)
    except OSError:
        return b""


def _object(data: bytes) -> dict[str, JsonValue]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
