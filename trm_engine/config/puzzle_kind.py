"""Learning puzzles: an answer refined under deep supervision, judged by whole puzzles that are right."""

from __future__ import annotations

from trm_engine.config.kinds import LearnerKind, Score

PUZZLE = LearnerKind(
    name="puzzle",
    models="a puzzle model",
    score=Score("exact_accuracy", "accuracy", target="target_accuracy", higher_is_better=True),
    costs="trm_engine.planning.puzzle_costs:PuzzleCosts",
    model="trm_engine.inference.puzzle_model:PuzzleModel",
    learner="trm_engine.learning.puzzle_learner:PuzzleLearner",
)
