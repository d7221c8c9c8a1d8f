"""What a model was measured at, in the words of its kind of learner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trm_tui.shared.words import Facts, kind_measured, number, words_of

if TYPE_CHECKING:
    from trm_engine.training.replay import Replay


def score(figures: Mapping[str, float]) -> float:
    """Return how good an evaluation is: of two of one run, the higher is the better."""
    kind = kind_measured(figures)
    return kind.score.of(figures[kind.score.figure]) if kind else 0.0


def headline(figures: Mapping[str, float]) -> tuple[str, str]:
    """Return the figure that counts most, by name: `exact`, `93.1%`; or `held-out`, `1.892`."""
    kind = kind_measured(figures)
    if kind is None:
        return "", ""
    words = words_of(kind)
    return words.label, words.show(figures[kind.score.figure])


def sentence(figures: Mapping[str, float], *, final: bool) -> str:
    """Return an evaluation as a sentence; of all held-out examples where it is `final`."""
    kind = kind_measured(figures)
    return words_of(kind).sentence(figures, final) if kind else ""


def facts(figures: Mapping[str, float]) -> Facts:
    """Return an evaluation as pairs of a name and a value; none of no evaluation."""
    kind = kind_measured(figures)
    return words_of(kind).facts(figures) if kind else []


def aside(figures: Mapping[str, float]) -> Facts:
    """Return what is told of an evaluation beside the figure that counts most."""
    kind = kind_measured(figures)
    return words_of(kind).aside(figures) if kind else []


def last_measured(summary: object) -> tuple[str, str]:
    """Return the figure that counts most of a session's last evaluation, with its full name; else empty.

    The figure is written so that it stands alone.
    """
    figures = summary.get("eval") if isinstance(summary, Mapping) else None
    kind = kind_measured(figures)
    value = number(figures, kind.score.figure) if kind else None
    if kind is None or value is None:
        return "", ""
    words = words_of(kind)
    return words.title, words.alone(value)


def replay_verdict(replay: Replay, original: str) -> str:
    """Return in words whether the losses of a replay agree with those of the session `original`."""
    if replay.agrees:
        return f"every loss agrees bit for bit with {original} ({replay.compared} records compared)"
    if replay.first_difference is None:
        return f"stopped before anything could be compared with {original}"
    if not replay.comparable:
        return f"not comparable with {original} bit for bit: {'; '.join(replay.differences)}"
    why = "; ".join(replay.differences) or "same versions and threads"
    return f"the losses differ from {original} by step {replay.first_difference} ({why})"
