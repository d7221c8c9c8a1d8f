"""Kinds of learners: everything in which one kind of model differs from another, under one name.

`model.architecture` says the name. Each layer finds its part of a kind here and imports it when it is used:
no other module asks which kind a configuration is of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trm_engine.config.registry import Registry
from trm_engine.config.sections import Config, TaskConfig


@dataclass(frozen=True)
class Score:
    """The figure by which models of a kind are compared on held-out examples."""

    figure: str
    """Its name among an evaluation's figures: `exact_accuracy`."""
    words: str
    """What it is called after "its": `accuracy`."""
    target: str
    """The setting of [eval] at which training stops early; 0 there never stops."""
    higher_is_better: bool

    def of(self, value: float) -> float:
        """Return a value as checkpoints record it: of two, the higher is the better."""
        return value if self.higher_is_better else -value

    def value(self, recorded: float) -> float:
        """Return the figure behind a recorded score."""
        return recorded if self.higher_is_better else -recorded

    def target_reached(self, value: float, config: Config) -> bool:
        """Return whether a value is good enough to end training."""
        target: float = getattr(config.eval, self.target)
        return target > 0 and self.of(value) >= self.of(target)


@dataclass(frozen=True)
class Rule:
    """A check over settings: `keys` are all it reads, the first is the one it names.

    `check` returns what is wrong, or None.
    """

    keys: tuple[str, ...]
    check: Callable[[Config], str | None]


@dataclass(frozen=True)
class LearnerKind:
    """One kind of learner. Classes are named as "module:Class" and imported when they are first used."""

    name: str
    """As `model.architecture` says it."""
    models: str
    """Its models in a sentence's beginning: `a text model`."""
    score: Score
    costs: str
    """What its models cost: a `trm_engine.planning.costs.Costs`."""
    model: str
    """How its models are loaded and used: a `trm_engine.inference.model.Model`."""
    learner: str
    """How they are trained: a `trm_engine.learning.learner.Learner`."""
    rules: tuple[Rule, ...] = ()
    """What settings cannot be together for this kind."""

    def __post_init__(self) -> None:
        KINDS[self.name] = self


KINDS: Registry[LearnerKind] = Registry("trm_engine.config.puzzle_kind", "trm_engine.config.text_kind")
"""Every kind of learner by name; making a `LearnerKind` adds it."""


def kind_for_task(task: str) -> LearnerKind:
    """Return the kind of learner that a kind of task needs; that of most where the task is not known."""
    return KINDS[TaskConfig.kinds.get(task, TaskConfig).architecture]


def kind_of(config: Config) -> LearnerKind:
    """Return the kind of learner that a valid configuration asks for."""
    return KINDS[config.model.architecture]
