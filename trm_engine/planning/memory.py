"""The memory a run takes, by formula: what stays, and the largest of what comes and goes."""

from __future__ import annotations

from dataclasses import dataclass, fields

from trm_engine.config.sections import Config
from trm_engine.planning.costs import Costs, Shape, costs_of, shape_of
from trm_engine.planning.flops import parameters, puzzle_parameters

BASE_BYTES = 300_000_000
"""Python with torch imported (240 MB), its kernels warm (40 MB) and the program around it (20 MB)."""

LONGEST_COMPILED = 256
"""Positions up to which compiled attention is used: its scores of one head stay in the cache."""

_FLOAT = 4
_TRAINING_SLACK = 1.1  # what the allocator loses between blocks that come and go
_CHECKPOINTING_SLACK = 1.6  # the same where each application's tensors are computed again, and let go of
_GRADIENT_COPIES = 4  # two threads' own, each with a sum in the making for weights that are used repeatedly
_WEIGHT_COPIES = 5  # the weights, their gradients, the moving average, the optimizer's two moments
_SAVED_COPIES = 4  # of a checkpoint on disk: weights, moving average, two moments
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
    """Activations of the last cycle for the rows in flight, what the backward pass needs beside them, and the
    batch's next state beside its present one."""
    evaluation: int
    """States and one block's working memory for the rows evaluated at once."""
    saving: int
    """The bytes of a checkpoint before they are written."""

    @property
    def peak(self) -> int:
        """The most that is held at one time."""
        stays = self.base + self.weights + self.carry + self.data
        return stays + max(self.training, self.evaluation, self.saving)

    def times(self, ranks: int) -> Footprint:
        """Return the memory of that many processes together."""
        return Footprint(**{field.name: ranks * getattr(self, field.name) for field in fields(self)})


def footprint(
    config: Config, *, micro_batch: int, examples: int, num_puzzle_ids: int = 1, ranks: int = 1
) -> Footprint:
    """Return the memory of a run with `micro_batch` rows in flight and `examples` puzzles in memory.

    Several `ranks` share the rows, and each holds the rest.
    """
    shape, costs = shape_of(config), costs_of(config)
    weights, puzzles = parameters(config), puzzle_parameters(config, num_puzzle_ids)
    seq_len = config.task.seq_len
    carry = _carry(config, shape)
    token_bytes = 1 if config.task.vocab_size <= 256 else 2
    at_once = -(-config.eval.batch_size // ranks)
    evaluated = costs.evaluation_slack * at_once * _evaluation_row(config, shape, costs)
    slack = _CHECKPOINTING_SLACK if config.runtime.checkpointing else _TRAINING_SLACK
    return Footprint(
        base=BASE_BYTES,
        weights=_FLOAT * (_WEIGHT_COPIES * weights + puzzles),
        carry=carry,
        data=examples * (2 * seq_len * token_bytes + 4),
        training=carry
        + _FLOAT * _GRADIENT_COPIES * weights
        + round(slack * _FLOAT * -(-micro_batch // ranks) * _training_row(config, shape, costs)),
        evaluation=round(_FLOAT * evaluated),
        saving=_FLOAT * (_SAVE_COPIES * weights + puzzles) + carry,
    ).times(ranks)


def checkpoint_bytes(config: Config, num_puzzle_ids: int = 1) -> int:
    """Return the size of one checkpoint: weights, moving average, two moments, embeddings and the carry."""
    weights, puzzles = parameters(config), puzzle_parameters(config, num_puzzle_ids)
    return _FLOAT * (_SAVED_COPIES * weights + puzzles) + _carry(config, shape_of(config))


def _carry(config: Config, shape: Shape) -> int:
    """Return the bytes of the batch in flight: states, tokens as int32, labels as int64, counters."""
    states = costs_of(config).carried_states(config) * shape.state
    return config.train.batch_size * (_FLOAT * states + 12 * config.task.seq_len + 16)


def _training_row(config: Config, shape: Shape, costs: Costs) -> int:
    """Return the numbers held for one row at the start of the backward pass.

    Each application of the network in the last cycle keeps its input and what `_kept` counts for each block;
    with gradient checkpointing its input alone, and only the one that is computed again the rest. The work of
    one block comes on top, and the states and the embedded question outside the net; logits and their softmax
    or stable-max (float64) are small.
    """
    state, applications = shape.positions * shape.size, costs.applications(config)
    whole = 1 if config.runtime.checkpointing else applications
    kept = whole * shape.layers * _kept(config, shape) + applications * state
    outside = (2 * config.model.states + 2) * state
    if config.train.recursion_penalty:
        outside += applications * state  # by how much each moves
    logits = (3 if config.train.loss == "softmax" else 16) * config.task.vocab_size * config.task.seq_len
    return kept + _backward_work(config, shape) + outside + logits


def _kept(config: Config, shape: Shape) -> int:
    """Return the numbers that one block keeps of one row for its backward pass.

    Each half keeps its output, normalised; a SwiGLU gate and up as well, and unless the operations are fused
    silu(gate), its product with up, and the sum before the norm. Attention: see `_kept_by_attention`.
    """
    state, fused = shape.positions * shape.size, config.runtime.fused
    inner, outputs = (2, 2) if fused else (4, 4)
    mlp = inner * shape.width * shape.positions
    mixer = (
        inner * shape.length_width * shape.size if shape.length_width else _kept_by_attention(config, shape)
    )
    return outputs * state + mlp + mixer


def _kept_by_attention(config: Config, shape: Shape) -> int:
    """Return the numbers that attention keeps of one row beside its block's output.

    q, k and v, and the mixed values; where they are not fused, or heads are long, rotated copies and
    transposed ones as well, of which compiled kernels need none. With products the weight of each pair of
    positions instead of the copies. Which `auto` takes is measured later; mostly it is the smaller. Windowed
    attention keeps no copies.
    """
    state = shape.positions * shape.size
    if shape.windowed_pairs:
        return 4 * state
    flash = (7 if config.model.positions == "rope" else 5) * state
    products = 4 * state + config.model.heads * shape.positions**2
    attention = config.runtime.attention
    if _compiled_attention(config, shape):
        return 4 * state
    if shape.causal or attention == "sdpa" or not config.runtime.fused:
        return flash
    return products if attention == "products" else min(flash, products)


def _compiled_attention(config: Config, shape: Shape) -> bool:
    runtime = config.runtime
    short = shape.positions <= LONGEST_COMPILED and not shape.causal
    return runtime.kernels == "compiled" and runtime.fused and short


def _backward_work(config: Config, shape: Shape) -> int:
    """Return the most numbers that the way back through one block has in hand for one row."""
    state = shape.positions * shape.size
    inner = 3 * (shape.width * shape.positions + shape.length_width * shape.size)
    if shape.length_width:
        return inner + 3 * state
    if shape.windowed_pairs:
        return inner + 11 * state  # a tile's scores are few beside it
    products = config.runtime.attention == "products" and not _compiled_attention(config, shape)
    pairs = 2 * config.model.heads * shape.positions**2 if products else 0
    return inner + 8 * state + pairs


def _evaluation_row(config: Config, shape: Shape, costs: Costs) -> int:
    """Return the numbers held for one row without gradients: states, question, sums, one block's work."""
    state = shape.positions * shape.size
    inner = 2 * (shape.width * shape.positions + shape.length_width * shape.size)
    attention = 0 if shape.length_width else 5 * state
    logits = costs.evaluation_logits(config)
    return (config.model.states + 5) * state + inner + attention + logits
