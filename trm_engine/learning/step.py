"""One supervision step: fresh puzzles into halted rows, forward, loss, gradients.

The update of the weights is not part of it: the loop tests loss and gradients first.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from trm_engine.compute.sums import Means, Sums
from trm_engine.config.sections import TrainConfig
from trm_engine.inference.scoring import judge, scored_labels
from trm_engine.learning.losses import supervision_loss
from trm_engine.models.carry import Carry, halted_rows
from trm_engine.models.trm import TRM, Output
from trm_engine.tasks.base import Examples


@dataclass
class StepResult(Sums):
    """Sums over a batch. The counts and accuracies are of the rows that just halted."""

    lm_loss: float = 0.0
    q_halt_loss: float = 0.0
    count: int = 0
    accuracy: float = 0.0
    exact_accuracy: int = 0
    q_halt_accuracy: int = 0
    steps: int = 0

    def means(self, rows: int) -> Means:
        """Return losses per row, and accuracies per halted row, if any."""
        halted = self.count
        return {
            "loss": self.loss / rows,
            "lm_loss": self.lm_loss / rows,
            "q_halt_loss": self.q_halt_loss / rows,
            "exact_accuracy": self.exact_accuracy / halted if halted else None,
            "cell_accuracy": self.accuracy / halted if halted else None,
            "supervision_steps": self.steps / halted if halted else None,
        }


@dataclass(frozen=True)
class StepBounds:
    """Supervision steps before which rows may not halt, `least` (B,), and at which they do, `most`."""

    least: Tensor
    most: int

    def rows(self, start: int, stop: int) -> StepBounds:
        """Return the bounds of rows [start, stop)."""
        return StepBounds(self.least[start:stop], self.most)


@dataclass(frozen=True)
class PuzzleGradients:
    """Gradients of the puzzle embeddings used by a batch: `ids` (B,) and `grads` (B, E)."""

    ids: Tensor
    grads: Tensor


def refill(model: TRM, carry: Carry, fresh: Examples) -> Carry:
    """Put `fresh` puzzles, in order, into the rows that halted; there must be as many."""
    where = carry.halted.nonzero().squeeze(1)
    inputs, labels, puzzle_ids = carry.inputs.clone(), carry.labels.clone(), carry.puzzle_ids.clone()
    inputs[where] = torch.from_numpy(fresh.inputs).to(inputs.dtype)
    labels[where] = scored_labels(fresh.labels)
    puzzle_ids[where] = torch.from_numpy(fresh.puzzle_ids).to(puzzle_ids.dtype)
    return Carry(
        model.reset(carry.state, carry.halted),
        inputs,
        labels,
        puzzle_ids,
        torch.where(carry.halted, 0, carry.steps),
        torch.zeros_like(carry.halted),
    )


def backward_step(
    model: TRM, carry: Carry, bounds: StepBounds, config: TrainConfig, scale: float
) -> tuple[Carry, StepResult, PuzzleGradients | None]:
    """Run one supervision step on refilled rows and add `scale` · d(loss)/d(weights) to the gradients.

    Rows halt within `bounds`. Returns the carry after the step.
    """
    rows_emb = model.puzzle_rows(carry.puzzle_ids)
    if rows_emb is not None:
        rows_emb.requires_grad_()
    state, output = model(carry.state, carry.inputs, rows_emb)
    steps = carry.steps + 1
    with torch.no_grad():
        judged = judge(output.logits, carry.labels)
        last = steps >= bounds.most
        target = _continue_target(model, carry, state, last) if config.continue_loss else None
        halted = halted_rows(
            steps,
            output.q_halt,
            output.q_continue,
            max_steps=bounds.most,
            min_steps=bounds.least,
            continue_loss=config.continue_loss,
        )
    losses = supervision_loss(output, carry.labels, judged, config.loss, target)
    (losses.total * scale).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    after = dataclasses.replace(carry, state=state, steps=steps, halted=halted)
    gradients = None
    if rows_emb is not None and rows_emb.grad is not None:
        gradients = PuzzleGradients(carry.puzzle_ids, rows_emb.grad)
    with torch.no_grad():
        valid = halted & (judged.labelled > 0)
        exact = judged.exact
        result = StepResult(
            loss=losses.total.item(),
            lm_loss=losses.lm.item(),
            q_halt_loss=losses.q_halt.item(),
            count=int(valid.sum()),
            accuracy=float(judged.accuracy[valid].sum()),
            exact_accuracy=int((valid & exact).sum()),
            q_halt_accuracy=int((valid & ((output.q_halt >= 0) == exact)).sum()),
            steps=int(steps[valid].sum()),
        )
    return after, result, gradients


def _continue_target(model: TRM, carry: Carry, state: object, last: Tensor) -> Tensor:
    """Bootstrap the continue output from the halting outputs one step ahead (the published ACT target).

    `last` (B,): rows that cannot go on after that step.
    """
    following: Output = model(state, carry.inputs, model.puzzle_rows(carry.puzzle_ids))[1]
    best = torch.where(last, following.q_halt, torch.maximum(following.q_halt, following.q_continue))
    return torch.sigmoid(best)
