"""Learning puzzles: an answer refined under deep supervision, judged by whole puzzles that are right."""

from __future__ import annotations

from trm_engine.config.kinds import LearnerKind, Rule, Score
from trm_engine.config.sections import Config


def _cycles_grow(config: Config) -> str | None:
    return _grows(config.train.recursion_start_h, "h_cycles", config.model.h_cycles)


def _updates_grow(config: Config) -> str | None:
    return _grows(config.train.recursion_start_l, "l_cycles", config.model.l_cycles)


def _grows(start: int, name: str, end: int) -> str | None:
    return None if start <= end else f"{start} is above {name} = {end}, to which it should grow"


PUZZLE = LearnerKind(
    name="puzzle",
    models="a puzzle model",
    score=Score("exact_accuracy", "accuracy", target="target_accuracy", higher_is_better=True),
    costs="trm_engine.planning.puzzle_costs:PuzzleCosts",
    model="trm_engine.inference.puzzle_model:PuzzleModel",
    learner="trm_engine.learning.puzzle_learner:PuzzleLearner",
    rules=(
        Rule(("train.recursion_start_h", "model.h_cycles"), _cycles_grow),
        Rule(("train.recursion_start_l", "model.l_cycles"), _updates_grow),
    ),
)
