"""The Tiny Recursive Model: one small network applied again and again (arXiv 2510.04871)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trm_engine.compute.precision import widened
from trm_engine.config.sections import Config, ModelConfig
from trm_engine.models.layers import build_network, embedded, lecun_normal, truncated_normal, use_kernels

_HALT_BIAS = -5.0  # "do not halt" until training says otherwise


class State(NamedTuple):
    """What is carried between supervision steps: the answer y and the latent z, each (S, B, D).

    A single-state model carries z alone; its y is the same tensor.
    """

    y: Tensor
    z: Tensor

    def take(self, rows: Tensor | slice) -> State:
        """Return the given rows (indexes, a mask (B,) or a range), laid out without gaps."""
        z = self.z[:, rows].contiguous()
        return State(z if self.y is self.z else self.y[:, rows].contiguous(), z)

    def followed_by(self, other: State) -> State:
        """Return these rows and then those of `other`."""
        z = torch.cat([self.z, other.z], 1)
        return State(z if self.y is self.z else torch.cat([self.y, other.y], 1), z)


class Output(NamedTuple):
    """What one supervision step says: `logits` (L, B, V), and halting logits (B,).

    `movement` (B,): how far the last cycle moved the states, where that was asked for.
    """

    logits: Tensor
    q_halt: Tensor
    q_continue: Tensor
    movement: Tensor | None = None


class TRM(nn.Module):
    """Embedding, the recursive core f, and the token and halting heads.

    `puzzle_emb` is a buffer: it is trained by its own sparse rule, not by backpropagation into a parameter.
    """

    y_init: Tensor
    z_init: Tensor
    puzzle_emb: Tensor

    def __init__(
        self,
        config: ModelConfig,
        *,
        vocab_size: int,
        seq_len: int,
        grid: tuple[int, int] | None = None,
        puzzle_emb_len: int = 0,
        num_puzzle_ids: int = 1,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.config = config
        self.seq_len = seq_len
        self.puzzle_emb_len = puzzle_emb_len
        self.prefix_len = puzzle_emb_len + config.registers
        size, length = config.hidden_size, self.prefix_len + seq_len
        self.embed_tokens = nn.Parameter(
            truncated_normal(vocab_size, size, std=size**-0.5, generator=generator)
        )
        if config.registers:
            registers = truncated_normal(config.registers, 1, size, std=size**-0.5, generator=generator)
            self.registers = nn.Parameter(registers)
        if config.positions == "learned":
            positions = truncated_normal(length, 1, size, std=size**-0.5, generator=generator)
            self.embed_positions = nn.Parameter(positions)
        self.blocks = build_network(config, length, generator, grid=grid)
        self.lm_head = nn.Parameter(lecun_normal(vocab_size, size, generator))
        # Zero weights and a negative bias: an untrained model never believes that it has finished.
        self.q_head = nn.Parameter(torch.zeros(2, size))
        self.q_bias = nn.Parameter(torch.full((2,), _HALT_BIAS))
        self.register_buffer("y_init", truncated_normal(size, std=1.0, generator=generator))
        self.register_buffer("z_init", truncated_normal(size, std=1.0, generator=generator))
        self.register_buffer("puzzle_emb", torch.zeros(num_puzzle_ids, config.puzzle_emb_ndim))

    def initial_state(self, rows: int) -> State:
        """Return the states that `rows` fresh puzzles start from."""
        shape = (self.prefix_len + self.seq_len, rows, -1)
        z = self.z_init.expand(shape).clone()
        return State(self.y_init.expand(shape).clone() if self.config.states == 2 else z, z)

    def reset(self, state: State, halted_B: Tensor) -> State:
        """Return `state` with the rows that halted put back to the initial states, in the weights' type."""
        where, dtype = halted_B[None, :, None], self.embed_tokens.dtype
        z = torch.where(where, self.z_init, state.z).to(dtype)
        return State(torch.where(where, self.y_init, state.y).to(dtype) if self.config.states == 2 else z, z)

    def puzzle_rows(self, puzzle_ids_B: Tensor) -> Tensor | None:
        """Return the puzzle embeddings (B, E) of these identifiers; None for a model without them."""
        return self.puzzle_emb[puzzle_ids_B] if self.puzzle_emb_len else None

    def forward(
        self,
        state: State,
        inputs_BL: Tensor,
        puzzle_rows_BN: Tensor | None = None,
        recursion: tuple[int, int] | None = None,
        *,
        measured: bool = False,
    ) -> tuple[State, Output]:
        """Run one supervision step.

        All cycles but the last run without gradient. `puzzle_rows_BN` are the puzzle embeddings of the rows
        (`puzzle_rows(ids)`), needed where the model has them. `recursion`: cycles, and updates of z in each,
        where they are not the configuration's (a curriculum). The state returned is detached. `measured`: say
        how far the last cycle's updates move the states. The state that an update starts from has no gradient
        there: the update is drawn to its start, and not the start to where it leads.
        """
        x = self.embed(inputs_BL, puzzle_rows_BN)
        cycles, updates = recursion or (self.config.h_cycles, self.config.l_cycles)
        # Only the last cycle is differentiated (section 4.1 of the paper): memory stays that of one cycle.
        with torch.no_grad():
            for _ in range(cycles - 1):
                state = self._cycle(state, x, updates)
        movement = _Movement() if measured else None
        state = self._cycle(state, x, updates, movement)
        answer = state.y
        logits = widened(F.linear(answer[self.prefix_len :], self.lm_head))
        # The first position, as published: mixed with all others in every block, it speaks for the answer.
        q_halt, q_continue = widened(F.linear(answer[0], self.q_head, self.q_bias)).unbind(-1)
        return State(state.y.detach(), state.z.detach()), Output(
            logits, q_halt, q_continue, movement.total() if movement is not None else None
        )

    def embed(self, inputs_BL: Tensor, puzzle_rows_BN: Tensor | None) -> Tensor:
        """Return the embedded question x (S, B, D): puzzle embedding, registers, tokens."""
        rows, size = len(inputs_BL), self.config.hidden_size
        parts = []
        if self.puzzle_emb_len:
            assert puzzle_rows_BN is not None
            puzzle_rows_BN = puzzle_rows_BN.to(self.embed_tokens.dtype)
            padded = F.pad(puzzle_rows_BN, (0, self.puzzle_emb_len * size - puzzle_rows_BN.shape[1]))
            parts.append(padded.view(rows, self.puzzle_emb_len, size).transpose(0, 1))
        if self.config.registers:
            parts.append(self.registers.expand(-1, rows, -1))
        parts.append(embedded(inputs_BL.t().long(), self.embed_tokens))
        x = torch.cat(parts)
        if self.config.positions == "learned":
            # The sum of two independent parts would have √2 times the deviation of one.
            x = math.sqrt(0.5) * (x + self.embed_positions)
        # Embeddings start with deviation 1/√D: scaled, they are as large as the normalised states.
        return math.sqrt(size) * x

    def _cycle(self, state: State, x: Tensor, updates: int, movement: _Movement | None = None) -> State:
        y, z = state
        single = self.config.states == 1
        injected = x if single else y + x
        for _ in range(updates):
            before, z = z, self.blocks(z + injected)
            if movement is not None:
                movement.of_latent.append(moved(before, z))
        # A single state answers by itself: its last update is that of the answer.
        before, answer = (z, self.blocks(z)) if single else (y, self.blocks(y + z))
        if movement is not None:
            movement.of_answer = moved(before, answer)
        return State(answer, answer if single else z)


class _Movement:
    """How far the updates of a cycle move the states, for each row (B,)."""

    of_answer: Tensor

    def __init__(self) -> None:
        self.of_latent: list[Tensor] = []

    def total(self) -> Tensor:
        """Return the mean over the updates of the latent, and the update of the answer added."""
        return torch.stack(self.of_latent).mean(0) + self.of_answer


def moved(before_SBD: Tensor, after_SBD: Tensor) -> Tensor:
    """Return the mean square (B,) by which an update moves a state; no gradient goes to where it started."""
    return widened(after_SBD - before_SBD.detach()).square().mean((0, 2))


def build_model(config: Config, num_puzzle_ids: int, generator: torch.Generator) -> TRM:
    """Return a freshly initialised model for a configuration, with the kernels it asks for."""
    model = TRM(
        config.model,
        vocab_size=config.task.vocab_size,
        seq_len=config.task.seq_len,
        grid=config.task.grid,
        puzzle_emb_len=config.puzzle_emb_len,
        num_puzzle_ids=num_puzzle_ids,
        generator=generator,
    )
    use_kernels(model, config.runtime)
    return model
