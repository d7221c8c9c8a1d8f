"""Words and signs for studies and their trials."""

from __future__ import annotations

from textual.content import Content

from trm_engine.studies.state import Stage
from trm_engine.text import safe_text
from trm_tui.workbench.processes.study_desk import Cell, StudyView

SIGNS: dict[Stage, tuple[str, str, str]] = {
    "done": ("✓", "$text-success", "done"),
    "running": ("●", "$text-accent", "running"),
    "begun": ("■", "$text-warning", "stopped"),
    "diverged": ("✗", "$text-error", "diverged"),
    "waiting": ("·", "$text-muted", "waiting"),
}
"""A sign, its colour and a word for how far a trial is."""


def cell_words(cell: Cell | None) -> Content:
    """Return what stands in the matrix: a sign, and the accuracy or how far it is."""
    if cell is None:
        return Content("")
    sign, colour, word = SIGNS[cell.stage]
    if cell.stage == "waiting":
        return Content.styled(sign, colour)
    if cell.stage == "diverged":
        text = word
    elif cell.accuracy is not None and cell.stage == "done":
        text = f"{cell.accuracy:.1%}"
    else:
        text = f"at {min(cell.step / cell.steps, 1.0):.0%}" if cell.step else word
    return Content.assemble((f"{sign} ", colour), text)


def state_words(view: StudyView) -> Content:
    """Return how many trials are how far, and whether a runner works here."""
    parts: list[tuple[str, str] | str] = [f"{view.trials} trials"]
    for stage, (sign, colour, word) in SIGNS.items():
        if count := view.counts.get(stage, 0):
            parts += ["   ", (f"{sign} ", colour), f"{count} {word}"]
    if view.running_here:
        parts += ["   ", ("a runner works on it", "$text-accent")]
    return Content.assemble(*parts)


def found_words(view: StudyView) -> Content:
    """Return what the tests say, a paragraph each."""
    if not view.found:
        return Content.styled("Nothing yet: r runs the study; results appear as trials end.", "$text-muted")
    return Content("\n".join(safe_text(sentence) for sentence in view.found))
