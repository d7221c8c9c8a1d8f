"""How far a session has come whose summary is not written yet: the end of its metrics, and its best score."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pydantic import JsonValue

from trm_engine.config.kinds import kind_for_task
from trm_engine.files import open_plain
from trm_engine.sessions import SessionRecord, Status
from trm_engine.sessions.checkpoints.best import read_best
from trm_engine.sessions.layout import CHECKPOINTS, METRICS
from trm_engine.sessions.metrics import parse_record
from trm_tui.workbench.browser.session_row import ACTIVE_STATUSES

_TAIL_BYTES = 8192
_FIGURES = {"step": "steps", "samples": "samples", "seconds": "seconds"}


UNFINISHED: frozenset[Status] = ACTIVE_STATUSES | {"interrupted", "failed"}
"""Of a session whose summary is not written, or is of an earlier sitting."""


def current_summary(record: SessionRecord, folder: Path) -> dict[str, JsonValue]:
    """Return a session's summary as it is now, `record.status` being how far it has come.

    The summary is written when a sitting ends. Of one that has not, the figures stand in its other files, and
    the reason of the last end says nothing of it.
    """
    if record.status not in UNFINISHED:
        return dict(record.summary)
    known = {name: value for name, value in record.summary.items() if name != "reason"}
    return {**known, **current_figures(folder, record.task)}


def current_figures(folder: Path, task: str) -> dict[str, JsonValue]:
    """Return what is known of `steps`, `seconds`, `samples_per_second` and of the best score.

    `task` names the kind of task that was learned, and with it what the score is.
    """
    figures: dict[str, JsonValue] = {}
    last = _last_step(folder / METRICS)
    for source, name in _FIGURES.items():
        if isinstance(value := last.get(source), (int, float)):
            figures[name] = value
    samples, seconds = figures.get("samples"), figures.get("seconds")
    if isinstance(samples, (int, float)) and isinstance(seconds, (int, float)) and seconds > 0:
        figures["samples_per_second"] = samples / seconds
    with suppress(OSError, ValueError):
        best = read_best(folder / CHECKPOINTS)[0].score
        learner = kind_for_task(task)
        figures[f"best_{learner.score.figure}"] = learner.score.value(best)
    return figures


def _last_step(path: Path) -> dict[str, JsonValue]:
    """Return the last whole record of a step; an empty one where there is none."""
    lines = _tail(path, _TAIL_BYTES).split(b"\n")
    for line in reversed(lines[:-1]):  # the last is torn, or empty
        record = parse_record(line + b"\n")
        if record is not None and record.get("event") == "step":
            return record
    return {}


def _tail(path: Path, size: int) -> bytes:
    try:
        with open_plain(path) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - size, 0))
            return file.read(size)
    except OSError:
        return b""
