"""Parameters and floating-point operations of a configuration, by formula: no model is built.

A multiplication with an addition counts as two operations.
"""

from __future__ import annotations

from trm_engine.config.sections import Config
from trm_engine.planning.costs import Shape, costs_of, shape_of


def parameters(config: Config) -> int:
    """Return the number of weights that backpropagation trains; puzzle embeddings are not among them.

    Where a kind's `Costs` are not `exact`, at most so many.
    """
    shape = shape_of(config)
    blocks = shape.layers * (shape.mixer_weights + shape.mlp_weights)
    return blocks + costs_of(config).parameters_outside(config, shape)


def puzzle_parameters(config: Config, num_puzzle_ids: int) -> int:
    """Return the number of weights in the puzzle embeddings."""
    return num_puzzle_ids * config.model.puzzle_emb_ndim


def forward_flops(config: Config) -> int:
    """Return the operations of one supervision step of one row without its backward pass."""
    costs = costs_of(config)
    return costs.cycles(config) * costs.applications(config) * _application(shape_of(config)) + _heads(config)


def training_flops(config: Config) -> int:
    """Return the operations of one supervision step of one row in training.

    The backward pass through the last cycle costs twice its forward pass; gradient checkpointing computes its
    forward pass once more.
    """
    costs = costs_of(config)
    last = costs.applications(config) * _application(shape_of(config))
    backward = 2 * (last + _heads(config)) + (last if config.runtime.checkpointing else 0)
    return backward + (2 if costs.looks_ahead(config) else 1) * forward_flops(config)


def _application(shape: Shape) -> int:
    """Return the operations of the network applied once to one row."""
    mlp = 2 * shape.mlp_weights * shape.positions
    if shape.length_width:
        mixer = 2 * shape.mixer_weights * shape.size
    else:
        mixer = 2 * shape.mixer_weights * shape.positions + shape.attention_flops
    return shape.layers * (mixer + mlp)


def _heads(config: Config) -> int:
    return 2 * config.model.hidden_size * costs_of(config).outputs(config)
