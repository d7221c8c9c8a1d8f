"""Which curves a chart can show, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from trm_engine.config.kinds import KINDS, LearnerKind, kind_for_task
from trm_tui.shared.words import words_of
from trm_tui.workbench.charts.curves import Curve, XAxis
from trm_tui.workbench.charts.ticks import Unit

X_UNITS: Mapping[XAxis, Unit] = {"step": "number", "samples": "number", "seconds": "seconds"}
X_TITLES: Mapping[XAxis, str] = {"step": "step", "samples": "samples", "seconds": "time"}


@dataclass(frozen=True)
class Line:
    """A curve of the recorder as a line of a figure."""

    curve: str
    label: str
    colour: str
    smooth: bool = False
    optional: bool = False
    """Is it left out as long as there are no points?"""
    best: Literal["highest", "lowest"] | None = None
    """Which of its points is the best one, to be marked."""


@dataclass(frozen=True)
class Figure:
    """What one chart shows."""

    title: str
    lines: tuple[Line, ...]
    unit: Unit = "number"
    may_be_log: bool = False
    y_range: tuple[float | None, float | None] = (None, None)
    in_pictures: bool = False
    """Is it drawn where curves are exported as a picture?"""


_LEARNING_RATE = Figure("Learning rate", (Line("lr", "lr", "accent"),), y_range=(0.0, None))
_SPEED = Figure(
    "Speed", (Line("samples_per_second", "samples/s", "primary", smooth=True),), y_range=(0.0, None)
)
_MEMORY = Figure("Memory", (Line("rss_bytes", "this process", "warning"),), unit="bytes", y_range=(0.0, None))
_GRADIENT = Figure("Gradient norm", (Line("grad_norm", "norm", "secondary", smooth=True),), may_be_log=True)

FIGURES = (
    Figure("Loss", (Line("loss", "train", "primary", smooth=True),), may_be_log=True, in_pictures=True),
    Figure(
        "Accuracy",
        (
            Line("exact_accuracy", "exact", "success", best="highest"),
            Line("cell_accuracy", "cells", "primary"),
            Line("train_exact", "train", "foreground-muted", smooth=True, optional=True),
        ),
        unit="percent",
        y_range=(0.0, 1.0),
        in_pictures=True,
    ),
    Figure(
        "Halting steps",
        (
            Line("supervision_steps", "train", "secondary", smooth=True),
            Line("mean_steps", "held-out", "success"),
        ),
        y_range=(0.0, None),
    ),
    _LEARNING_RATE,
    _SPEED,
    _MEMORY,
    _GRADIENT,
    Figure(
        "Parts of the loss",
        (
            Line("lm_loss", "tokens", "primary", smooth=True),
            Line("q_halt_loss", "halting", "accent", smooth=True),
        ),
        may_be_log=True,
    ),
)
"""What there is to see of runs that learn puzzles."""

TEXT_FIGURES = (
    Figure(
        "Loss",
        (
            Line("loss", "train", "primary", smooth=True),
            Line("val_loss", "held-out", "success", optional=True, best="lowest"),
        ),
        may_be_log=True,
        in_pictures=True,
    ),
    Figure(
        "Bits per character",
        (Line("bits_per_character", "held-out", "success", best="lowest"),),
        y_range=(0.0, None),
    ),
    _LEARNING_RATE,
    _SPEED,
    _MEMORY,
    _GRADIENT,
    Figure(
        "Held-out loss",
        (Line("val_loss", "held-out", "success", best="lowest"),),
        may_be_log=True,
        in_pictures=True,
    ),
)
"""What there is to see of runs that learn text."""


_OF_EVALUATION = ("exact_accuracy", "cell_accuracy", "mean_steps", "val_loss", "bits_per_character")
_OF_KINDS: Mapping[str, tuple[Figure, ...]] = {"puzzle": FIGURES, "text": TEXT_FIGURES}


def _best(kind: LearnerKind) -> Literal["highest", "lowest"]:
    return "highest" if kind.score.higher_is_better else "lowest"


def figures_of(kind: LearnerKind) -> tuple[Figure, ...]:
    """Return what there is to see of runs of a kind of learner; without charts of its own, its score."""
    return _OF_KINDS.get(kind.name) or (
        Figure("Loss", (Line("loss", "train", "primary", smooth=True),), may_be_log=True),
        Figure(
            words_of(kind).title,
            (Line(kind.score.figure, "held-out", "success", best=_best(kind)),),
            in_pictures=True,
        ),
        _LEARNING_RATE,
        _SPEED,
        _MEMORY,
        _GRADIENT,
    )


def figures_to_compare(curves: Iterable[Mapping[str, Curve]]) -> tuple[Figure, ...]:
    """Return what there is to see of sessions beside each other: that of the first that was measured."""
    measured = (kind for of_one in curves for kind in KINDS.values() if kind.score.figure in of_one)
    return figures_of(next(measured, kind_for_task("")))


def evaluation_curves() -> list[str]:
    """Return the names of the curves that evaluations record, of all kinds of learners."""
    scores = (kind.score.figure for kind in KINDS.values())
    return list(dict.fromkeys([*_OF_EVALUATION, *scores]))
