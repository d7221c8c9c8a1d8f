"""Evaluations in words: what each kind of learner calls its figures, and a plain form for the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trm_engine.config.kinds import KINDS, LearnerKind
from trm_engine.config.registry import Registry
from trm_engine.json_text import number_of

Figures = Mapping[str, float]
Facts = list[tuple[str, str]]
_LARGEST = 1e30  # no count and no figure of a run reaches that: what does is damage


@dataclass(frozen=True)
class Words:
    """How a person reads the evaluations of one kind of learner."""

    label: str
    """Before the figure that counts, where room is short: `exact`."""
    title: str
    """The same in full: `exact accuracy`."""
    best: str
    """The same of the best checkpoint: `best exact`."""
    examples: str
    """What was measured on, as the figure that counts it is called: `puzzles`."""
    rate: tuple[str, str]
    """The figure of how many were measured in a second, and its unit."""
    show: Callable[[float], str]
    """Writes the figure that counts: `93.1%`."""
    exactly: Callable[[float], str]
    """The same of the best checkpoint: `1.8731`."""
    alone: Callable[[float], str]
    """The same where nothing beside it says what it is."""
    sentence: Callable[[Figures, bool], str]
    """An evaluation in a line; of all held-out examples where the flag is set."""
    facts: Callable[[Figures], Facts]
    """An evaluation as names and values."""
    brief: Callable[[Figures], Facts]
    """The same where room is short."""
    aside: Callable[[Figures], Facts] = lambda figures: []  # noqa: ARG005  # nothing
    """What stands below the figure that counts on the dashboard."""


WORDS: Registry[Words] = Registry("trm_tui.shared.puzzle_words", "trm_tui.shared.text_words")
"""By the name of a kind of learner."""


def number(values: object, name: str) -> float | None:
    """Return a figure by name; None where it is missing or is no number."""
    value = number_of(values.get(name)) if isinstance(values, Mapping) else None
    return value if value is not None and abs(value) < _LARGEST else None  # NaN is never less


def words_of(kind: LearnerKind) -> Words:
    """Return the words of a kind of learner: plain ones where it has none of its own."""
    return WORDS.get(kind.name) or _plain(kind)


def kind_measured(figures: object) -> LearnerKind | None:
    """Return the kind of learner whose evaluation these figures are; None where they are of none."""
    return next((kind for kind in KINDS.values() if number(figures, kind.score.figure) is not None), None)


def _plain(kind: LearnerKind) -> Words:
    figure, name = kind.score.figure, kind.score.figure.replace("_", " ")

    def facts(figures: Figures) -> Facts:
        return [(found.replace("_", " "), f"{value:.4g}") for found, value in figures.items()]

    def sentence(figures: Figures, final: bool) -> str:
        return f"{name} {figures[figure]:.4g} on {'all ' if final else ''}held-out examples"

    return Words(
        label=kind.score.words,
        title=name,
        best=f"best {kind.score.words}",
        examples="examples",
        rate=("examples_per_second", "examples/s"),
        show="{:.4g}".format,
        exactly="{:.6g}".format,
        alone=(name + " {:.4g}").format,
        sentence=sentence,
        facts=facts,
        brief=facts,
    )
