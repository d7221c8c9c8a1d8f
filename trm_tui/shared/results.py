"""What a model was measured at, in words: accuracy where it solves puzzles, loss where it writes text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trm_engine.training.replay import Replay

_LARGEST = 1e30


def number(values: object, name: str) -> float | None:
    """Return a figure by name; None where it is missing or is no number."""
    value = values.get(name) if isinstance(values, Mapping) else None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < _LARGEST else None  # NaN is never less


def is_text(figures: object) -> bool:
    """Whether these are the figures of an evaluation of text."""
    return number(figures, "val_loss") is not None


def score(figures: object) -> float:
    """Return how good an evaluation is: of two of one run, the higher is the better."""
    loss = number(figures, "val_loss")
    return -loss if loss is not None else number(figures, "exact_accuracy") or 0.0


def headline(figures: object) -> tuple[str, str]:
    """Return the figure that counts most, by name: `exact`, `93.1%`; or `unseen`, `1.892`."""
    loss = number(figures, "val_loss")
    if loss is not None:
        return "unseen", f"{loss:.3f}"
    return "exact", f"{number(figures, 'exact_accuracy') or 0.0:.1%}"


def text_sentence(figures: object, *, final: bool) -> str:
    """Return an evaluation of text as a sentence."""
    windows = f"{'all ' if final else ''}{number(figures, 'windows') or 0:,.0f}"
    loss, bits = (number(figures, name) or 0.0 for name in ("val_loss", "bits_per_character"))
    return f"loss {loss:.4f} on {windows} unseen windows, {bits:.3f} bits per character"


def text_facts(figures: object) -> list[tuple[str, str]]:
    """Return an evaluation of text as pairs of a name and a value."""
    loss, bits = (number(figures, name) or 0.0 for name in ("val_loss", "bits_per_character"))
    names = ("characters", "unknown_characters", "text_characters")
    characters, unknown, total = (number(figures, name) or 0 for name in names)
    over = f"{characters:,.0f} characters"
    if unknown:
        over = f"{characters:,.0f} of {total:,.0f} characters; {unknown:,.0f} are unknown to the model"
    return [
        ("unseen loss", f"{loss:.4f} over {over}"),
        ("bits per character", f"{bits:.4f}"),
    ]


def last_measured(summary: object) -> str:
    """Return the figure that counts most of the last evaluation in a session's summary; empty without one."""
    figures = summary.get("eval") if isinstance(summary, Mapping) else None
    if not isinstance(figures, Mapping):
        return ""
    known = is_text(figures) or number(figures, "exact_accuracy") is not None
    return headline(figures)[1] if known else ""


def replay_verdict(replay: Replay, original: str) -> str:
    """Return in words whether the losses of a replay agree with those of the session `original`."""
    if replay.agrees:
        return f"every loss agrees bit for bit with {original} ({replay.compared} records compared)"
    if replay.first_difference is None:
        return f"stopped before anything could be compared with {original}"
    why = "; ".join(replay.differences) or "same versions and threads"
    return f"the losses differ from {original} by step {replay.first_difference} ({why})"
