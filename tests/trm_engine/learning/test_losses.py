"""The losses and the counts beside them."""

from __future__ import annotations

import math

import pytest
import torch

from trm_engine.inference.scoring import (
    Judged,
    judge,
    softmax_cross_entropy,
    stablemax_cross_entropy,
)
from trm_engine.learning.losses import supervision_loss
from trm_engine.models.trm import Output

IGNORED = -100


def test_softmax_of_equal_logits_costs_the_log_of_the_vocabulary() -> None:
    assert softmax_cross_entropy(torch.zeros(1, 7), torch.tensor([3])).item() == pytest.approx(math.log(7))


def test_stablemax_is_one_plus_x_above_zero_and_its_mirror_below() -> None:
    logits = torch.tensor([[1.0, 0.0, -1.0]])  # s = 2, 1, 1/2
    losses = [stablemax_cross_entropy(logits, torch.tensor([label])).item() for label in range(3)]
    assert losses == pytest.approx([math.log(3.5 / s) for s in (2, 1, 0.5)])


def test_stablemax_computes_in_double_precision() -> None:
    assert stablemax_cross_entropy(torch.zeros(1, 3), torch.tensor([0])).dtype == torch.float64


@pytest.mark.parametrize("cross_entropy", [softmax_cross_entropy, stablemax_cross_entropy])
def test_ignored_labels_cost_nothing(cross_entropy: object) -> None:
    assert callable(cross_entropy)
    assert cross_entropy(torch.randn(2, 5), torch.tensor([IGNORED, IGNORED])).tolist() == [0, 0]


def test_stablemax_gradient_is_finite_for_huge_logits() -> None:
    logits = torch.tensor([[1e30, -1e30, 0.0]], requires_grad=True)
    stablemax_cross_entropy(logits, torch.tensor([1])).sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_judge_counts_only_labelled_positions() -> None:
    logits_LBV = torch.nn.functional.one_hot(torch.tensor([[2, 1], [0, 0], [1, 1]]), 3).float()
    labels_BL = torch.tensor([[2, 1, IGNORED], [1, 0, 1]])
    judged = judge(logits_LBV, labels_BL)
    assert judged.labelled.tolist() == [2, 3]
    assert judged.correct.tolist() == [1, 3]
    assert judged.exact.tolist() == [False, True]
    assert judged.accuracy.tolist() == [0.5, 1.0]


def output(q_halt: list[float], q_continue: list[float]) -> Output:
    return Output(torch.zeros(2, len(q_halt), 4), torch.tensor(q_halt), torch.tensor(q_continue))


def test_loss_is_mean_over_cells_plus_half_the_halting_loss() -> None:
    labels = torch.tensor([[1, 2], [3, IGNORED]])
    judged = Judged(torch.tensor([2, 1]), torch.tensor([2, 0]))
    losses = supervision_loss(output([0.0, 0.0], [0.0, 0.0]), labels, judged, "softmax")
    assert losses.lm.item() == pytest.approx(2 * math.log(4))
    assert losses.q_halt.item() == pytest.approx(2 * math.log(2))
    assert losses.total.item() == pytest.approx(2 * math.log(4) + math.log(2))


def test_continue_loss_pulls_towards_its_target() -> None:
    labels = torch.tensor([[1, 2]])
    judged = Judged(torch.tensor([2]), torch.tensor([0]))
    near, far = (
        supervision_loss(output([0.0], [logit]), labels, judged, "softmax", torch.tensor([0.9])).total.item()
        for logit in (2.2, -2.2)
    )
    assert near < far
