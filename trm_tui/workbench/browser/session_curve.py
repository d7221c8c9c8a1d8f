"""The course of a session's evaluations, small enough for a cell of the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from trm_engine.config.kinds import kind_for_task
from trm_engine.errors import TrmError
from trm_engine.sessions.layout import METRICS
from trm_engine.sessions.metrics import Metrics

_LEVELS = "▁▂▃▄▅▆▇█"


def read_curve(folder: str, task: str) -> tuple[float, ...]:
    """Return what a session was measured at, in order; nothing where that cannot be read.

    `task` names the kind of task that was learned.
    """
    try:
        name = kind_for_task(task).score.figure
        values = [record.get(name) for record in Metrics(Path(folder, METRICS)).read_event("eval")]
    except TrmError:
        return ()
    return tuple(float(v) for v in values if isinstance(v, (int, float)) and math.isfinite(v))


def sparkline(values: Sequence[float], width: int) -> str:
    """Return a curve from its lowest to its highest value, in at most `width` columns of characters."""
    if not values:
        return ""
    count = min(len(values), width)
    # The last of each part of the curve: the end is what a session has come to.
    shown = [values[(n + 1) * len(values) // count - 1] for n in range(count)]
    low, high = min(shown), max(shown)
    if high <= low:
        return _LEVELS[3] * count
    return "".join(_LEVELS[min(int((v - low) / (high - low) * 7.999), 7)] for v in shown)
