"""The loss of a supervision step."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from trm_engine.inference.scoring import Judged, answer_loss
from trm_engine.models.trm import Output


class Losses(NamedTuple):
    """Sums over the rows of a batch; `total` is what is minimised (divided by the batch size)."""

    total: Tensor
    lm: Tensor
    q_halt: Tensor


def supervision_loss(
    output: Output,
    labels_BL: Tensor,
    judged: Judged,
    cross_entropy: str,
    target_continue: Tensor | None = None,
    recursion_penalty: float = 0.0,
) -> Losses:
    """Return the loss of one supervision step.

    Per row: the mean cross-entropy of labelled positions, plus ½ · BCE of q_halt against "this row is exactly
    right", plus, given `target_continue` (B,), ½ · BCE of q_continue against it, plus `recursion_penalty`
    times how far the last cycle has moved the states, where the output says it (regularised recursion).
    """
    lm = answer_loss(output.logits, labels_BL, judged, cross_entropy)
    q_halt = F.binary_cross_entropy_with_logits(
        output.q_halt, judged.exact.to(output.q_halt), reduction="sum"
    )
    halting = q_halt
    if target_continue is not None:
        halting = halting + F.binary_cross_entropy_with_logits(
            output.q_continue, target_continue, reduction="sum"
        )
    total = lm + 0.5 * halting
    if output.movement is not None:
        total = total + recursion_penalty * output.movement.sum()
    return Losses(total, lm, q_halt)
