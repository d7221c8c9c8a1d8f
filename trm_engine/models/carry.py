"""What a batch carries from one supervision step to the next: deep supervision and halting (ACT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trm_engine.models.trm import State


@dataclass(frozen=True)
class Carry:
    """A batch in flight. Every row keeps its puzzle and its state until it halts.

    `state.y`, `state.z`: (S, B, D); `inputs`, `labels`: (B, L); `puzzle_ids`, `steps`: (B,) integers;
    `halted`: (B,) booleans: these rows take a new puzzle at the next step.
    """

    state: State
    inputs: Tensor
    labels: Tensor
    puzzle_ids: Tensor
    steps: Tensor
    halted: Tensor

    @classmethod
    def empty(cls, state: State, seq_len: int) -> Carry:
        """Return a batch of which every row waits for its first puzzle."""
        rows, device = state.z.shape[1], state.z.device
        return cls(
            state,
            inputs=torch.zeros(rows, seq_len, dtype=torch.int32, device=device),
            labels=torch.zeros(rows, seq_len, dtype=torch.int64, device=device),
            puzzle_ids=torch.zeros(rows, dtype=torch.int64, device=device),
            steps=torch.zeros(rows, dtype=torch.int32, device=device),
            halted=torch.ones(rows, dtype=torch.bool, device=device),
        )

    def __len__(self) -> int:
        return len(self.steps)

    def tensors(self) -> dict[str, Tensor]:
        """Return everything by name, for a checkpoint."""
        parts = (
            {"y": self.state.y, "z": self.state.z}
            if self.state.y is not self.state.z
            else {"z": self.state.z}
        )
        return {
            **parts,
            "inputs": self.inputs,
            "labels": self.labels,
            "puzzle_ids": self.puzzle_ids,
            "steps": self.steps,
            "halted": self.halted,
        }

    @classmethod
    def from_tensors(cls, parts: dict[str, Tensor]) -> Carry:
        """Rebuild what `tensors` returned."""
        state = State(parts.get("y", parts["z"]), parts["z"])
        return cls(state, *(parts[name] for name in ("inputs", "labels", "puzzle_ids", "steps", "halted")))

    def rows(self, start: int, stop: int) -> Carry:
        """Return rows [start, stop) as a batch of their own; the whole batch is not copied."""
        if (start, stop) == (0, len(self)):
            return self
        rest = (self.inputs, self.labels, self.puzzle_ids, self.steps, self.halted)
        return Carry(self.state.take(slice(start, stop)), *(tensor[start:stop] for tensor in rest))

    def keep(self, count: int) -> Carry:
        """Return `count` of the rows, in order; rows that halted are the first to go: they hold no work."""
        waiting_last = torch.argsort(self.halted.to(torch.int8), stable=True)
        kept = waiting_last[:count].sort().values
        rest = (self.inputs, self.labels, self.puzzle_ids, self.steps, self.halted)
        return Carry(self.state.take(kept), *(tensor[kept] for tensor in rest))

    def followed_by(self, parts: Sequence[Carry]) -> Carry:
        """Return the batch of which `parts` are the rows, in order; this one is given up.

        Several parts are copied into this one: a third batch beside it and them may not fit in memory.
        """
        if len(parts) == 1:
            return parts[0]
        start = 0
        for part in parts:
            self.put(start, part)
            start += len(part)
        return self

    def put(self, start: int, part: Carry) -> None:
        """Copy `part` into the rows from `start` on."""
        stop = start + len(part)
        self.state.z[:, start:stop] = part.state.z
        if self.state.y is not self.state.z:
            self.state.y[:, start:stop] = part.state.y
        for name in ("inputs", "labels", "puzzle_ids", "steps", "halted"):
            getattr(self, name)[start:stop] = getattr(part, name)


def halted_rows(
    steps: Tensor,
    q_halt: Tensor,
    q_continue: Tensor,
    *,
    max_steps: int,
    min_steps: Tensor,
    continue_loss: bool,
) -> Tensor:
    """Say which rows halt in training.

    A row halts at `max_steps`, or when its halting logit wins (over 0, or over the continue logit where
    that is trained), but not before its `min_steps` (exploration).
    """
    if max_steps == 1:
        return torch.ones_like(steps, dtype=torch.bool)
    # Exploration outranks the halting head: a row that is sure of its answer stays until its drawn step.
    wants = q_halt > q_continue if continue_loss else q_halt > 0
    return (wants | (steps >= max_steps)) & (steps >= min_steps)
