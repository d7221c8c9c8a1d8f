"""How long a configuration takes on a machine, from the rate of its matrix products, and the other way round.

A step is counted as operations of matrix products: those it has, and as many as would take the same time as
the work beside them. That is elementwise work, in proportion to the numbers of the state that blocks read and
write, and the sums of gradients: each application of the network on the way back reads and writes those of
all weights, however few rows are trained at once. Python's share comes on top, by the block.

Constants fitted to all presets on 2 cores of an Intel Xeon (`make walk`).
"""

from __future__ import annotations

from collections.abc import Iterable

from trm_engine.config import Preset
from trm_engine.config.sections import Config
from trm_engine.planning.costs import costs_of, shape_of
from trm_engine.planning.flops import forward_flops, parameters, training_flops
from trm_engine.planning.recursion import recursion_stages

_ELEMENTWISE = {"attention": 4000, "mlp_t": 2600}
"""Operations of products that take as long as a block's elementwise work on one number of the state."""
_SUMS_OF_GRADIENTS = 600
"""Operations of products that take as long as adding the gradient of one weight to those before it."""
_SECONDS_PER_BLOCK = 3e-4
"""Python's share of a block's passage, however many rows go through it at once."""
_ORDINARY_GFLOPS = 100.0
"""A rate as laptops have it."""


def step_seconds(config: Config, gemm_gflops: float) -> float:
    """Return the time of a training step at a rate of matrix products in GFLOP/s."""
    train, passages = config.train, _training_passages(config)
    parts = -(-train.batch_size // config.micro_batch)
    operations = train.batch_size * (training_flops(config) + _elementwise(config, passages))
    operations += parts * costs_of(config).applications(config) * parameters(config) * _SUMS_OF_GRADIENTS
    return operations / (gemm_gflops * 1e9) + parts * passages * _SECONDS_PER_BLOCK


def implied_gflops(config: Config, samples_per_second: float) -> float | None:
    """Return the rate of matrix products at which a configuration trains so fast; None where none does."""
    if not samples_per_second > 0:
        return None
    at_one, by_python = step_seconds(config, 1.0), step_seconds(config, float("inf"))
    left = config.train.batch_size / samples_per_second - by_python
    return (at_one - by_python) / left if left > 0 else None


def run_seconds(config: Config, gemm_gflops: float) -> float:
    """Return the time of a whole run: all training steps, and every evaluation at its stated size."""
    evaluation = config.eval
    evaluations = 1 + (config.train.steps // evaluation.every if evaluation.every else 0)
    training = sum(steps * step_seconds(stage, gemm_gflops) for steps, stage in recursion_stages(config))
    return training + evaluations * _evaluation_seconds(config, gemm_gflops)


def from_light_to_heavy(presets: Iterable[Preset]) -> list[Preset]:
    """Return presets in the order of how long they run."""
    return sorted(presets, key=lambda preset: run_seconds(preset.config, _ORDINARY_GFLOPS))


def _evaluation_seconds(config: Config, gemm_gflops: float) -> float:
    evaluation, passages = config.eval, _forward_passages(config)
    steps = costs_of(config).evaluation_steps(config)
    operations = evaluation.puzzles * (forward_flops(config) + _elementwise(config, passages))
    parts = -(-evaluation.puzzles // evaluation.batch_size)
    return steps * (operations / (gemm_gflops * 1e9) + parts * passages * _SECONDS_PER_BLOCK)


def _elementwise(config: Config, passages: int) -> int:
    """Return the elementwise work on one row, in operations of matrix products."""
    shape = shape_of(config)
    return passages * shape.positions * shape.size * _ELEMENTWISE[config.model.mixer]


def _forward_passages(config: Config) -> int:
    """Return how many blocks a row goes through in one supervision step."""
    costs = costs_of(config)
    return costs.cycles(config) * costs.applications(config) * config.model.layers


def _training_passages(config: Config) -> int:
    """Return the same for training, where the way back through a block counts as two.

    With gradient checkpointing it is three: the block is computed again first.
    """
    costs = costs_of(config)
    forward = _forward_passages(config) * (2 if costs.looks_ahead(config) else 1)
    backward = 3 if config.runtime.checkpointing else 2
    return forward + backward * costs.applications(config) * config.model.layers
