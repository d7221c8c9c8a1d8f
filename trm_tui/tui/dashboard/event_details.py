"""Everything that is known of a run, as text to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.content import Content

from trm_engine.config import Section
from trm_engine.text import safe_text
from trm_tui.workbench.snapshot import Snapshot

_LABEL = 24


def run_details(snapshot: Snapshot) -> Content:
    """Return decisions, data, results and configuration, and the traceback of a failure first."""
    parts: list[Content] = []
    if snapshot.failure is not None:
        parts.append(_heading("What failed"))
        parts.append(Content(f"{snapshot.failure.message}\n{snapshot.failure.traceback}"))
    if snapshot.session:
        parts.append(
            _facts("Session", {"id": snapshot.session, "state": snapshot.state, "why": snapshot.reason})
        )
    if snapshot.verdict:
        parts.append(Content(snapshot.verdict))
    parts.append(_facts("Decisions", {d.subject: f"{d.choice} — {d.reason}" for d in snapshot.decisions}))
    parts.append(_facts("Data", snapshot.facts))
    if snapshot.evaluated is not None:
        parts.append(_facts("Last evaluation", snapshot.evaluated.figures))
    for section, values in snapshot.config or ():
        if isinstance(values, Section):
            parts.append(_facts(section, dict(values)))
    return Content("\n").join(part for part in parts if part) or Content("No run is open.")


def _heading(text: str) -> Content:
    return Content.styled(text, "bold $accent")


def _facts(title: str, facts: Mapping[str, object]) -> Content:
    lines = list(_lines(facts))
    return Content("\n").join([_heading(title), *lines, Content("")]) if lines else Content("")


def _lines(facts: Mapping[str, object]) -> Iterable[Content]:
    for name, value in facts.items():
        if value not in ("", None):
            text = f"{value:.4g}" if isinstance(value, float) else str(value)
            yield Content.assemble((f"  {name}".ljust(_LABEL), "$text-muted"), safe_text(text))
