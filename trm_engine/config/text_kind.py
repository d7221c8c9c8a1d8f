"""Learning text: every character predicts the next, judged by the loss on text that was held out."""

from __future__ import annotations

from functools import partial

from trm_engine.config.kinds import LearnerKind, Rule, Score
from trm_engine.config.sections import Config


def _needs_attention(config: Config) -> str | None:
    if config.model.mixer == "attention":
        return None
    return 'an MLP along the length would see the characters to come; a text model needs "attention"'


def _needs_softmax(config: Config) -> str | None:
    if config.train.loss == "softmax":
        return None
    return 'characters are drawn from a softmax, so a text model is trained with "softmax"'


_OF_CYCLES = ("recursion_start_h", "recursion_start_l", "recursion_penalty")


def _has_no_cycles(setting: str, config: Config) -> str | None:
    if not getattr(config.train, setting):
        return None
    return "is of puzzle models; a text model has recursion_steps; set this to 0"


TEXT = LearnerKind(
    name="text",
    models="a text model",
    score=Score("val_loss", "loss", target="target_loss", higher_is_better=False),
    costs="trm_engine.planning.text_costs:TextCosts",
    model="trm_engine.inference.text_model:TextModel",
    learner="trm_engine.learning.text_learner:TextLearner",
    rules=(
        Rule(("model.mixer",), _needs_attention),
        Rule(("train.loss",), _needs_softmax),
        *(Rule((f"train.{name}",), partial(_has_no_cycles, name)) for name in _OF_CYCLES),
    ),
)
