"""Answers that the rules accept are counted beside those that are the label."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trm_engine.config import Config
from trm_engine.inference.evaluate import evaluate
from trm_engine.inference.supervise import refine
from trm_engine.models.trm import TRM, build_model
from trm_engine.tasks.examples import Examples, Tokens
from trm_engine.tasks.maze.config import MazeConfig

STEPS = 3
PUZZLES = np.random.default_rng(0).integers(1, 5, (7, 16), dtype=np.uint8)
EXAMPLES = Examples.of(PUZZLES, PUZZLES)


@pytest.fixture(scope="module")
def model() -> TRM:
    config = Config.model_validate(
        {"task": MazeConfig(rows=4, cols=4, min_path=4), "model": {"hidden_size": 8}}
    )
    network = build_model(config, 1, torch.Generator().manual_seed(0))
    return network.requires_grad_(False)


@pytest.mark.parametrize(("early_halt", "halts"), [(False, False), (True, False), (True, True)])
def test_the_rules_judge_the_answers_that_the_model_ends_with(model, early_halt, halts):
    model.q_bias.fill_(50.0 if halts else -50.0)
    seen: list[tuple[Tokens, Tokens]] = []

    def solved(puzzles: Tokens, answers: Tokens) -> np.ndarray:
        seen.append((puzzles, answers))
        return np.arange(len(puzzles)) == 0

    found = evaluate(model, EXAMPLES, max_steps=STEPS, batch_size=4, early_halt=early_halt, solved=solved)
    assert found.valid_accuracy == 2 / 7, "one of each batch"
    answers = np.concatenate([answers for _, answers in seen])
    last = [[*refine(model, puzzle, 1 if halts else STEPS)][-1].answer for puzzle in PUZZLES]
    assert (answers == np.stack(last)).all()
    assert (np.concatenate([puzzles for puzzles, _ in seen]) == PUZZLES).all()
    assert found.to_dict()["valid_accuracy"] == found.valid_accuracy


def test_where_labels_say_it_all_there_is_no_such_figure(model):
    found = evaluate(model, EXAMPLES, max_steps=STEPS, batch_size=4)
    assert found.valid_accuracy is None
    assert "valid_accuracy" not in found.to_dict()


def test_depths_are_measured_in_the_pass_as_they_would_be_alone(model):
    model.q_bias.fill_(-50.0)
    found = evaluate(model, EXAMPLES, max_steps=2, batch_size=4, depths=(1, 5))
    for depth in (1, 5):
        alone = evaluate(model, EXAMPLES, max_steps=depth, batch_size=4)
        assert found.to_dict()[f"exact_accuracy_at_{depth}"] == alone.exact_accuracy
    usual = evaluate(model, EXAMPLES, max_steps=2, batch_size=4)
    assert found.cell_accuracy == usual.cell_accuracy
    assert found.mean_steps == 2


def test_a_threshold_of_zero_is_usual_halting_and_others_bracket_it(model):
    model.q_bias.fill_(0.0)
    model.q_head[0].normal_(generator=torch.Generator().manual_seed(1))
    found = evaluate(model, EXAMPLES, max_steps=STEPS, batch_size=4, thresholds=(-1e3, 0.0, 1e3)).to_dict()
    assert found["mean_steps_over_0"] == found["mean_steps"]
    assert found["exact_accuracy_over_0"] == found["early_exact_accuracy"]
    assert (found["mean_steps_over_-1000"], found["mean_steps_over_1000"]) == (1, STEPS)


def test_one_bit_says_of_each_puzzle_whether_it_was_solved(model):
    model.q_bias.fill_(-50.0)
    answers = evaluate(model, EXAMPLES, max_steps=1, batch_size=3)
    bits = np.unpackbits(np.frombuffer(answers.solved_bits(), np.uint8), count=7)
    assert bits.mean() == pytest.approx(answers.exact_accuracy)
    assert len(answers.solved) == 7
    assert "solved" not in answers.to_dict()
