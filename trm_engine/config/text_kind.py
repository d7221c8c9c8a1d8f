"""Learning text: every character predicts the next, judged by the loss on text that was held out."""

from __future__ import annotations

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


TEXT = LearnerKind(
    name="text",
    models="a text model",
    score=Score("val_loss", "loss", target="target_loss", higher_is_better=False),
    costs="trm_engine.planning.text_costs:TextCosts",
    model="trm_engine.inference.text_model:TextModel",
    learner="trm_engine.learning.text_learner:TextLearner",
    rules=(Rule(("model.mixer",), _needs_attention), Rule(("train.loss",), _needs_softmax)),
)
