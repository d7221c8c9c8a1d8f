"""Supervision steps: the network's own results, for rows that stay, leave and join."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from trm_engine.inference.evaluate import evaluate
from trm_engine.inference.scoring import judge, scored_labels
from trm_engine.inference.supervise import Supervision, SupervisionStep, supervise
from trm_engine.models.trm import TRM
from trm_engine.tasks import build_task
from trm_engine.tasks.examples import Examples

STEPS = 6
VARIANTS = ("mlp", "one state", "puzzle embedding", "attention")


def examples_of(config, count: int = 12) -> Examples:
    taken = build_task(config.task).test.take(slice(0, count))
    return Examples(taken.inputs, taken.labels, np.arange(count) % 5)


def by_hand(model: TRM, batch: Examples, steps: int = STEPS) -> list[tuple[Tensor, Tensor]]:
    """Apply the network again and again, all rows to the end."""
    state = model.initial_state(len(batch))
    inputs, ids = torch.tensor(batch.inputs.astype(np.int32)), torch.tensor(batch.puzzle_ids)
    found = []
    for _ in range(steps):
        state, output = model(state, inputs, model.puzzle_emb[ids] if model.puzzle_emb_len else None)
        found.append((output.logits, output.q_halt))
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_step_is_one_application_of_the_network(tiny, variant: str) -> None:
    config, model = tiny(variant)
    batch = examples_of(config)
    steps = list(supervise(model, batch.inputs, batch.puzzle_ids, max_steps=STEPS))
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    for step, (logits, q_halt) in zip(steps, by_hand(model, batch), strict=True):
        assert torch.equal(step.rows, torch.arange(12))
        assert torch.equal(step.logits, logits)
        assert torch.equal(step.q_halt, q_halt)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_row_that_leaves_has_no_further_step_and_the_others_go_on_as_before(tiny, variant: str) -> None:
    config, model = tiny(variant)
    batch = examples_of(config)
    whole = by_hand(model, batch)
    last = torch.zeros(12, dtype=torch.int64)

    def in_turn(step: SupervisionStep) -> Tensor:
        return step.rows % STEPS < step.number

    for step in supervise(model, batch.inputs, batch.puzzle_ids, max_steps=STEPS, leaves=in_turn):
        last[step.rows] = step.number
        logits, q_halt = whole[step.number - 1]
        torch.testing.assert_close(step.logits, logits[:, step.rows], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(step.q_halt, q_halt[step.rows], rtol=1e-3, atol=1e-3)
    assert last.tolist() == [1, 2, 3, 4, 5, 6] * 2


def test_a_step_is_looked_at_before_its_rows_are_asked_whether_they_leave(tiny) -> None:
    config, model = tiny()
    batch = examples_of(config)
    solved = torch.zeros(12, dtype=torch.bool)
    seen = []
    for step in supervise(
        model, batch.inputs, batch.puzzle_ids, max_steps=STEPS, leaves=lambda step: solved[step.rows]
    ):
        seen.append(step.rows.tolist())
        solved[step.rows[: 4 * step.number]] = True
    assert seen == [list(range(12)), list(range(4, 12))]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_row_that_joins_later_is_answered_as_if_it_were_alone(tiny, variant: str) -> None:
    config, model = tiny(variant)
    batch = examples_of(config)
    alone = [by_hand(model, batch.take(slice(row, row + 1))) for row in (0, 7)]
    supervision = Supervision(model)
    supervision.join(batch.inputs[:3], batch.puzzle_ids[:3])
    supervision.step()
    supervision.keep(torch.tensor([0, 2]))
    supervision.join(batch.inputs[7:8], batch.puzzle_ids[7:8])
    assert len(supervision) == 3
    _, logits, _ = supervision.step()
    torch.testing.assert_close(logits[:, 0], alone[0][1][0][:, 0], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(logits[:, 2], alone[1][0][0][:, 0], rtol=1e-3, atol=1e-3)


def test_no_gradients_are_recorded_and_the_caller_s_own_are_left_alone(tiny) -> None:
    config, model = tiny()
    model.requires_grad_(True)
    batch = examples_of(config)
    for step in supervise(model, batch.inputs, batch.puzzle_ids, max_steps=2):
        assert torch.is_grad_enabled()
        assert not step.logits.requires_grad


@pytest.mark.parametrize("early_halt", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_an_evaluation_is_what_the_steps_taken_by_hand_give(tiny, variant: str, early_halt: bool) -> None:
    config, model = tiny(variant)
    batch = examples_of(config)
    labels = scored_labels(batch.labels)
    model.q_bias[0] = -by_hand(model, batch)[2][1].median()  # so that some rows halt, and some do not
    steps = [(judge(logits, labels), q_halt > 0) for logits, q_halt in by_hand(model, batch)]
    halts = torch.stack([halt for _, halt in steps]).int()
    first = torch.where(halts.any(0), halts.argmax(0) + 1, STEPS)
    end = first if early_halt else torch.full_like(first, STEPS)
    at = [(int(number) - 1, row) for row, number in enumerate(end)]
    found = evaluate(model, batch, max_steps=STEPS, batch_size=12, early_halt=early_halt)
    assert found.mean_steps == float(first.sum()) / 12
    assert found.ran_steps == float(end.sum()) / 12
    assert found.exact_accuracy == sum(bool(steps[s][0].exact[row]) for s, row in at) / 12
    cells = sum(float(steps[s][0].accuracy[row]) for s, row in at) / 12
    assert found.cell_accuracy == pytest.approx(cells, abs=1e-6)
    right = sum(bool(steps[s][1][row] == steps[s][0].exact[row]) for s, row in at) / 12
    assert found.q_halt_accuracy == right
