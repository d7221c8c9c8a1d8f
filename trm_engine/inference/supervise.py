"""Supervision: one network applied again and again to rows of puzzles, each step refining every answer.

Evaluation, tracing, voting, solving and serving all run their rows through here, so that there is one place
where states, puzzle embeddings and rows that come and go are handled. Nothing here records gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trm_engine.models.trm import TRM, State
from trm_engine.tasks.examples import Tokens


@dataclass(frozen=True)
class SupervisionStep:
    """What R rows are after a supervision step. All but the state is on the CPU, wherever it was computed.

    `number` counts the steps from 1. `rows` (R,) says which rows of the batch these are: those that left have
    no results any more. `logits` (L, R, V) and `q_halt` (R,) belong to `rows`, in that order.
    """

    number: int
    rows: Tensor
    state: State
    logits: Tensor
    q_halt: Tensor

    @property
    def answers(self) -> Tensor:
        """The likeliest token of every position (R, L)."""
        return self.logits.argmax(-1).t()

    @property
    def confidences(self) -> Tensor:
        """The probability of the likeliest token of every position (R, L)."""
        return self.logits.softmax(-1).amax(-1).t()

    @property
    def halt_probabilities(self) -> Tensor:
        """The model's own estimate (R,) that its answer is right."""
        return torch.sigmoid(self.q_halt)


Leaves = Callable[[SupervisionStep], Tensor]
"""Tells which rows (R,) of a step need no further one."""


def halting(step: SupervisionStep) -> Tensor:
    """Let a row leave at its first positive halting logit, as in training."""
    return step.q_halt > 0


class Supervision:
    """Rows at work on their puzzles. Rows may join and leave between two steps.

    A row's results do not depend on the rows beside it, but for rounding where the processor's matrix
    products round differently for other numbers of rows.
    """

    def __init__(self, model: TRM) -> None:
        self._model = model
        self._device = model.z_init.device
        self._inputs = torch.empty(0, model.seq_len, dtype=torch.int32, device=self._device)
        self._puzzle_rows: Tensor | None = None
        self._state: State | None = None

    def __len__(self) -> int:
        """Return how many rows are at work."""
        return len(self._inputs)

    def join(self, inputs_BL: Tokens, puzzle_ids_B: Tokens) -> None:
        """Add puzzles behind the rows that are at work; they start from the initial states."""
        inputs = torch.from_numpy(np.asarray(inputs_BL).astype(np.int32)).to(self._device)
        puzzle_ids = torch.from_numpy(np.asarray(puzzle_ids_B).astype(np.int64)).to(self._device)
        puzzle_rows = self._model.puzzle_rows(puzzle_ids)
        state = self._model.initial_state(len(inputs))
        if self._state is not None:
            inputs = torch.cat([self._inputs, inputs])
            state = self._state.followed_by(state)
            if self._puzzle_rows is not None and puzzle_rows is not None:
                puzzle_rows = torch.cat([self._puzzle_rows, puzzle_rows])
        self._inputs, self._puzzle_rows, self._state = inputs, puzzle_rows, state

    def keep(self, rows: Tensor) -> None:
        """Go on with the given rows (indexes or a mask); the others leave."""
        assert self._state is not None, "no row has joined"
        rows = rows.to(self._device)
        self._inputs, self._state = self._inputs[rows], self._state.take(rows)
        if self._puzzle_rows is not None:
            self._puzzle_rows = self._puzzle_rows[rows]

    def disturb(self, noise_SBD: Tensor) -> None:
        """Add noise to the latent state of every row."""
        assert self._state is not None, "no row has joined"
        z = self._state.z + noise_SBD.to(self._state.z)
        # A model with one state has y and z as one tensor: they must stay one.
        self._state = State(z if self._state.y is self._state.z else self._state.y, z)

    def step(self) -> tuple[State, Tensor, Tensor]:
        """Run one supervision step; return states, `logits` (L, R, V) and halting logits (R,).

        Both logits are on the CPU: whoever looks at answers does so there.
        """
        assert self._state is not None, "no row has joined"
        with torch.no_grad():
            self._state, output = self._model(self._state, self._inputs, self._puzzle_rows)
        return self._state, output.logits.cpu(), output.q_halt.cpu()


def supervise(
    model: TRM,
    inputs_BL: Tokens,
    puzzle_ids_B: Tokens,
    *,
    max_steps: int,
    leaves: Leaves | None = None,
) -> Iterator[SupervisionStep]:
    """Yield the results of each supervision step of a batch, `max_steps` at most.

    `leaves` is asked after each step has been looked at; the rows that it names are left out of all later
    steps. The steps end early when no row is left.
    """
    supervision = Supervision(model)
    supervision.join(inputs_BL, puzzle_ids_B)
    rows = torch.arange(len(supervision))
    for number in range(1, max_steps + 1):
        step = SupervisionStep(number, rows, *supervision.step())
        yield step
        # After the yield: whoever looks at a step may decide by it which rows leave.
        if leaves is not None and number < max_steps:
            staying = ~leaves(step)
            if not staying.any():
                return
            if not staying.all():
                rows = rows[staying]
                supervision.keep(staying)


@dataclass(frozen=True)
class Refinement:
    """The model's answer to one puzzle after one supervision step.

    `answer` (L,) tokens, `confidence` (L,) probability of each token, `halt_probability` of the step.
    """

    step: int
    answer: Tokens
    confidence: npt.NDArray[np.float32]
    halt_probability: float


def refine(model: TRM, puzzle: Tokens, max_steps: int, puzzle_id: int = 0) -> Iterator[Refinement]:
    """Solve one puzzle (L,), yielding the answer after each supervision step."""
    inputs, ids = np.asarray(puzzle)[None], np.array([puzzle_id])
    for step in supervise(model, inputs, ids, max_steps=max_steps):
        answer, confidence = step.answers[0].numpy(), step.confidences[0].numpy()
        yield Refinement(step.number, answer, confidence, float(step.halt_probabilities[0]))
