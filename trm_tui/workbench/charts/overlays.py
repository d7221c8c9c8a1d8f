"""Other sessions' curves, to be drawn behind the active run's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trm_engine.sessions import Store
from trm_engine.text import safe_text
from trm_tui.workbench.charts.curves import Curve
from trm_tui.workbench.recorder import Recorder


@dataclass(frozen=True)
class Overlay:
    """A session's recorded curves."""

    session: str
    title: str
    curves: Mapping[str, Curve]


def read_overlay(store: Store, ref: str) -> Overlay:
    """Read a session's curves from disk. Raises `SessionError`."""
    session = store.get(ref)
    title = safe_text(session.record.name or session.record.preset or session.id)
    recorder = Recorder(0, title)
    recorder.remember(session.metrics.read())
    return Overlay(session.id, title, recorder.snapshot().curves)
