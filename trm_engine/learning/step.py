"""One supervision step: fresh puzzles into halted rows, forward, loss, gradients.

The update of the weights is not part of it: the loop tests loss and gradients first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from trm_engine.compute.compute import Result, Rows
from trm_engine.compute.sums import Means, Sums
from trm_engine.config.sections import TrainConfig
from trm_engine.inference.scoring import as_tensor, judge, scored_labels
from trm_engine.learning.losses import supervision_loss
from trm_engine.models.carry import Carry, halted_rows
from trm_engine.models.trm import TRM, Output
from trm_engine.tasks.examples import Examples


class PuzzleSums(Sums):
    """Sums over a batch. The counts and accuracies are of the rows that just halted."""

    names: ClassVar[tuple[str, ...]] = (
        "loss",
        "lm_loss",
        "q_halt_loss",
        "count",
        "accuracy",
        "exact_accuracy",
        "steps",
    )

    def means(self, rows: int) -> Means:
        """Return losses per row, and accuracies per halted row, if any."""
        sums = self.figures()
        halted = sums["count"]
        return {
            "loss": sums["loss"] / rows,
            "lm_loss": sums["lm_loss"] / rows,
            "q_halt_loss": sums["q_halt_loss"] / rows,
            "exact_accuracy": sums["exact_accuracy"] / halted if halted else None,
            "cell_accuracy": sums["accuracy"] / halted if halted else None,
            "supervision_steps": sums["steps"] / halted if halted else None,
        }


@dataclass(frozen=True)
class Fresh:
    """A new puzzle for each row, taken by those that halted: `inputs`, `labels` (B, L), `puzzle_ids` (B,)."""

    inputs: Tensor
    labels: Tensor
    puzzle_ids: Tensor

    def rows(self, start: int, stop: int) -> Fresh:
        """Return rows [start, stop)."""
        return Fresh(self.inputs[start:stop], self.labels[start:stop], self.puzzle_ids[start:stop])


@dataclass(frozen=True)
class PuzzleRows(Rows):
    """Rows in flight, and what a supervision step does with them.

    Rows may not halt before their `least` (B,) supervision steps, and do at `most`. `recursion`: cycles, and
    updates of z in each; None: the model's own. `first`: the number of the first row in its batch.
    """

    carry: Carry
    fresh: Fresh
    least: Tensor
    most: int
    recursion: tuple[int, int] | None = None
    first: int = 0

    def part(self, start: int, stop: int) -> PuzzleRows:
        """Return rows [start, stop)."""
        carry, fresh = self.carry.rows(start, stop), self.fresh.rows(start, stop)
        return PuzzleRows(carry, fresh, self.least[start:stop], self.most, self.recursion, self.first + start)

    @property
    def drawn(self) -> tuple[Tensor, ...]:
        """What was drawn for this step."""
        return self.fresh.inputs, self.fresh.labels, self.fresh.puzzle_ids, self.least

    @property
    def signature(self) -> tuple[object, ...]:
        """What else decides the step: while it stays equal, the same program computes it."""
        return id(self.carry), self.most, self.recursion

    def with_drawn(self, drawn: Sequence[Tensor]) -> PuzzleRows:
        """Return the same rows with other tensors for what was drawn."""
        *fresh, least = drawn
        return dataclasses.replace(self, fresh=Fresh(*fresh), least=least)


@dataclass(frozen=True)
class PuzzleResult(Result):
    """The carry after a supervision step, and the gradients (B, E) of the puzzle embeddings of its rows.

    `first`: the number of its first row in its batch.
    """

    carry: Carry
    embedding_grads: Tensor | None
    first: int = 0

    @property
    def bounds(self) -> tuple[int, int]:
        """The rows of its batch that these are: [start, stop)."""
        return self.first, self.first + len(self.carry)


def fresh_rows(examples: Examples, place: Callable[[Tensor], Tensor]) -> Fresh:
    """Return a new puzzle for each row, placed where it is computed."""
    return Fresh(
        place(as_tensor(examples.inputs)).to(torch.int32),
        scored_labels(examples.labels, place),
        place(torch.from_numpy(examples.puzzle_ids).to(torch.int64)),
    )


def refill(model: TRM, carry: Carry, fresh: Fresh) -> Carry:
    """Put the fresh puzzles of the rows that halted into them."""
    halted = carry.halted
    return Carry(
        model.reset(carry.state, halted),
        torch.where(halted[:, None], fresh.inputs, carry.inputs),
        torch.where(halted[:, None], fresh.labels, carry.labels),
        torch.where(halted, fresh.puzzle_ids, carry.puzzle_ids),
        torch.where(halted, 0, carry.steps),
        torch.zeros_like(halted),
    )


def supervision_step(model: TRM, rows: PuzzleRows, config: TrainConfig, weight: float) -> PuzzleResult:
    """Run one supervision step and add `weight` · d(loss)/d(weights) to the gradients of the model."""
    carry = refill(model, rows.carry, rows.fresh)
    rows_emb = model.puzzle_rows(carry.puzzle_ids)
    if rows_emb is not None:
        rows_emb.requires_grad_()
    penalty = config.recursion_penalty
    state, output = model(carry.state, carry.inputs, rows_emb, rows.recursion, measured=penalty > 0)
    steps = carry.steps + 1
    with torch.no_grad():
        judged = judge(output.logits, carry.labels)
        last = steps >= rows.most
        target = _continue_target(model, carry, state, last, rows.recursion) if config.continue_loss else None
        halted = halted_rows(
            steps,
            output.q_halt,
            output.q_continue,
            max_steps=rows.most,
            min_steps=rows.least,
            continue_loss=config.continue_loss,
        )
    losses = supervision_loss(output, carry.labels, judged, config.loss, target, penalty)
    (losses.total * weight).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    after = dataclasses.replace(carry, state=state, steps=steps, halted=halted)
    # A row that waited for its first puzzle has no labels: its halting says nothing.
    counted = halted & (judged.labelled > 0)
    sums = PuzzleSums.of(
        loss=losses.total,
        lm_loss=losses.lm,
        q_halt_loss=losses.q_halt,
        count=counted.sum(),
        accuracy=(judged.accuracy * counted).sum(),
        exact_accuracy=(judged.exact & counted).sum(),
        steps=(steps * counted).sum(),
    )
    return PuzzleResult(sums, after, rows_emb.grad if rows_emb is not None else None, rows.first)


def _continue_target(
    model: TRM, carry: Carry, state: object, last: Tensor, recursion: tuple[int, int] | None
) -> Tensor:
    """Bootstrap the continue output from the halting outputs one step ahead (the published ACT target).

    `last` (B,): rows that cannot go on after that step.
    """
    following: Output = model(state, carry.inputs, model.puzzle_rows(carry.puzzle_ids), recursion)[1]
    # At the last step there is nothing to continue to: the value there is that of halting.
    best = torch.where(last, following.q_halt, torch.maximum(following.q_halt, following.q_continue))
    return torch.sigmoid(best)
