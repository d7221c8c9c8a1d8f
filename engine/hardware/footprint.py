"""The memory a run takes, by formula: what stays, and the largest of what comes and goes."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config.sections import Config
from engine.hardware.arithmetic import Shape, applications, parameters, puzzle_parameters, shape_of

BASE_BYTES = 300_000_000
"""Python with torch imported (240 MB), its kernels warm (40 MB) and the program around it (20 MB)."""

_FLOAT = 4
_SLACK = 1.2  # what the allocator loses between blocks that come and go, and kernels keep for themselves
_WEIGHT_COPIES = 5  # the weights, their gradients, the moving average, the optimizer's two moments
_SAVE_COPIES = 5  # a checkpoint in memory: weights, moving average, two moments, and a copy in passing


@dataclass(frozen=True)
class Footprint:
    """Bytes a run holds. Training, evaluation and saving take turns: only the largest of the three counts."""

    base: int
    """The program itself."""
    weights: int
    """Weights, gradients, moving average and optimizer moments; puzzle embeddings."""
    carry: int
    """State and puzzles of the batch, which stay between steps."""
    data: int
    """Examples held in memory."""
    training: int
    """Activations of the last cycle for the rows in flight, and what the backward pass needs beside them."""
    evaluation: int
    """States and one block's working memory for the rows evaluated at once."""
    saving: int
    """The bytes of a checkpoint before they are written."""

    @property
    def peak(self) -> int:
        """The most that is held at one time."""
        stays = self.base + self.weights + self.carry + self.data
        return stays + max(self.training, self.evaluation, self.saving)


def footprint(config: Config, *, micro_batch: int, examples: int, num_puzzle_ids: int = 1) -> Footprint:
    """Return the memory of a run with `micro_batch` rows in flight and `examples` puzzles in memory."""
    shape = shape_of(config)
    weights, puzzles = parameters(config), puzzle_parameters(config, num_puzzle_ids)
    rows, seq_len = config.train.batch_size, config.task.seq_len
    text = config.model.architecture == "text"  # carries no state, and its tokens stay in their file
    states = 0 if text else config.model.states * shape.positions * shape.size
    carry = rows * (_FLOAT * states + 12 * seq_len + 16)  # tokens as int32, labels as int64, counters
    token_bytes = 1 if config.task.vocab_size <= 256 else 2
    return Footprint(
        base=BASE_BYTES,
        weights=_FLOAT * (_WEIGHT_COPIES * weights + puzzles),
        carry=carry,
        data=examples * (2 * seq_len * token_bytes + 4),
        training=round(_SLACK * _FLOAT * micro_batch * _training_row(config, shape)),
        evaluation=round(_SLACK * _FLOAT * config.eval.batch_size * _evaluation_row(config, shape)),
        saving=_FLOAT * (_SAVE_COPIES * weights + puzzles) + carry,
    )


def _training_row(config: Config, shape: Shape) -> int:
    """Return the numbers held for one row at the start of the backward pass.

    The last cycle of a puzzle model applies the network l_cycles + 1 times, a text model all its recursion
    steps, and each application keeps for the backward pass what `_kept` counts. Working memory for one block
    comes on top, and the states and the embedded question outside the net; logits and their softmax or
    stable-max (float64) are small.
    """
    state = shape.positions * shape.size
    outside = (2 * config.model.states + 2) * state
    logits = (3 if config.train.loss == "softmax" else 16) * config.task.vocab_size * config.task.seq_len
    return applications(config) * shape.layers * _kept(config, shape) + _working(shape) + outside + logits


def _kept(config: Config, shape: Shape) -> int:
    """Return the numbers that one block keeps of one row for its backward pass.

    Along the width: the input, gate and up (2 W), silu(gate) and its product with up, and the sum that is
    normalised. The same along the length; or, for attention: the input, q, k and v, its output before and
    after the transposition, and the normalised sum; q and k once more when they are rotated.
    """
    state = shape.positions * shape.size
    # The fused SwiGLU of a text model was measured without the two that it computes again.
    inner = 2 if config.model.architecture == "text" and config.runtime.tuning != "off" else 4
    mlp = 2 * state + inner * shape.width * shape.positions
    if shape.length_width:
        return mlp + 2 * state + 4 * shape.length_width * shape.size
    return mlp + (9 if config.model.positions == "rope" else 7) * state


def _working(shape: Shape) -> int:
    """Return the most numbers that one block has in hand for one row beside what it keeps."""
    inner = max(shape.width * shape.positions, shape.length_width * shape.size)
    return 4 * inner + 3 * shape.positions * shape.size


def _evaluation_row(config: Config, shape: Shape) -> int:
    """Return the numbers held for one row without gradients: states, question, sums, one block's work.

    Attention works on blocks of other sizes than the SwiGLU, so the allocator does not use them twice.
    """
    state = shape.positions * shape.size
    attention = 0 if shape.length_width else 6 * state
    # The logits of a text are as wide as a small model; those of a puzzle are few beside its states.
    logits = 3 * config.task.vocab_size * config.task.seq_len if config.model.architecture == "text" else 0
    return (config.model.states + 3) * state + _working(shape) + attention + logits
