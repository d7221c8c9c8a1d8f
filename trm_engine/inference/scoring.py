"""How answers compare with labels: cross-entropies of tokens, right positions and right rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from trm_engine.compute.precision import widest
from trm_engine.tasks.examples import IGNORE_LABEL, PAD, Tokens


def scored_labels(labels: Tokens, place: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> Tensor:
    """Return labels of any shape as int64, with padding replaced by the label that is never scored.

    `place` brings them to where they are compared: as bytes, where they are.
    """
    known = place(as_tensor(labels)).to(torch.int64)
    return torch.where(known == PAD, IGNORE_LABEL, known)


def as_tensor(tokens: Tokens) -> Tensor:
    """Return tokens as a tensor of integers, one byte each where they have one."""
    usable = tokens.dtype == np.uint8 and tokens.flags.writeable  # torch shares no memory that is not
    return torch.from_numpy(tokens if usable else tokens.astype(np.int64))


def softmax_cross_entropy(logits_NV: Tensor, labels_N: Tensor) -> Tensor:
    """Cross-entropy of each token (N,), 0 where the label is ignored."""
    return F.cross_entropy(logits_NV, labels_N, ignore_index=IGNORE_LABEL, reduction="none")


def stablemax_cross_entropy(logits_NV: Tensor, labels_N: Tensor) -> Tensor:
    """Stable-max cross-entropy of each token (N,) in float64, 0 where the label is ignored.

    s(x) = x + 1 for x ≥ 0 and 1 / (1 − x) below; the loss is −log(s_label / Σ s) (arXiv 2501.04697).
    """
    x = widest(logits_NV)
    s = torch.where(x < 0, 1 / (1 - x.clamp(max=0)), x + 1)
    scored = labels_N != IGNORE_LABEL
    s_label = s.gather(-1, torch.where(scored, labels_N, 0)[:, None]).squeeze(-1)
    return torch.where(scored, torch.log(s.sum(-1)) - torch.log(s_label), 0.0)


CROSS_ENTROPY = {"softmax": softmax_cross_entropy, "stablemax": stablemax_cross_entropy}


class Judged(NamedTuple):
    """How the answers of a batch compare with the labels; each (B,)."""

    labelled: Tensor
    correct: Tensor

    @property
    def exact(self) -> Tensor:
        """Rows with every labelled position right."""
        return self.correct == self.labelled

    @property
    def accuracy(self) -> Tensor:
        """Share of labelled positions that are right."""
        return self.correct / self.labelled.clamp(min=1)


def judge(logits_LBV: Tensor, labels_BL: Tensor) -> Judged:
    """Count labelled and right positions of each row."""
    labels_LB = labels_BL.t()
    scored = labels_LB != IGNORE_LABEL
    right = scored & (logits_LBV.argmax(-1) == labels_LB)
    return Judged(scored.sum(0), right.sum(0))


def answer_loss(logits_LBV: Tensor, labels_BL: Tensor, judged: Judged, cross_entropy: str) -> Tensor:
    """Return the sum over rows of the mean cross-entropy of their labelled positions."""
    length, rows, vocab = logits_LBV.shape
    tokens = CROSS_ENTROPY[cross_entropy](logits_LBV.reshape(-1, vocab), labels_BL.t().reshape(-1).long())
    return (tokens.view(length, rows) / judged.labelled.clamp(min=1)).sum()
