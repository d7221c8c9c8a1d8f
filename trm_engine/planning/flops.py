"""Parameters and floating-point operations of a configuration, by formula: no model is built.

Notation as in the model: S positions (prefix and sequence), D width, W and Wt inner widths of the SwiGLUs
along the width and along the length, V tokens. A multiplication with an addition counts as two operations.
"""

from __future__ import annotations

from dataclasses import dataclass

from trm_engine.config.sections import Config


@dataclass(frozen=True)
class Shape:
    """The sizes that decide what a configuration costs."""

    positions: int
    """S: prefix and sequence."""
    size: int
    """D: width of the state."""
    layers: int
    """Blocks of the one network."""
    width: int
    """W: inner width of the SwiGLU along the width."""
    length_width: int
    """Wt: inner width of the SwiGLU along the length; 0 with attention."""
    causal: bool = False
    """Does a position see only those before it? Half of the attention's products are left out then."""

    @property
    def mixer_weights(self) -> int:
        """Weights of one block's mixer."""
        return 3 * self.length_width * self.positions if self.length_width else 4 * self.size**2

    @property
    def mlp_weights(self) -> int:
        """Weights of one block's SwiGLU along the width."""
        return 3 * self.width * self.size


def shape_of(config: Config) -> Shape:
    """Return the sizes of a configuration."""
    model = config.model
    positions = config.task.seq_len + config.prefix_len
    return Shape(
        positions=positions,
        size=model.hidden_size,
        layers=model.layers,
        width=model.swiglu_width(model.hidden_size),
        length_width=model.swiglu_width(positions) if model.mixer == "mlp_t" else 0,
        causal=model.architecture == "text",
    )


def parameters(config: Config) -> int:
    """Return the number of weights that backpropagation trains; puzzle embeddings are not among them.

    Of a text model at most, for only its text knows how many tokens there are: exact for a configuration
    whose `max_vocabulary` is their number.
    """
    model, shape = config.model, shape_of(config)
    if model.architecture == "text":
        return _text_parameters(config, shape)
    embeddings = 2 * config.task.vocab_size + model.registers  # tokens in, tokens out
    if model.positions == "learned":
        embeddings += shape.positions
    heads = 2 * shape.size + 2
    return shape.size * embeddings + shape.layers * (shape.mixer_weights + shape.mlp_weights) + heads


def _text_parameters(config: Config, shape: Shape) -> int:
    model = config.model
    embeddings = config.task.vocab_size * (1 if model.tied_head else 2) + 1  # and the first state
    if model.positions == "learned":
        embeddings += shape.positions
    return shape.size * embeddings + shape.layers * (shape.mixer_weights + shape.mlp_weights)


def applications(config: Config) -> int:
    """Return how often the network is applied in one cycle."""
    model = config.model
    return model.recursion_steps if model.architecture == "text" else model.l_cycles + 1


def puzzle_parameters(config: Config, num_puzzle_ids: int) -> int:
    """Return the number of weights in the puzzle embeddings."""
    return num_puzzle_ids * config.model.puzzle_emb_ndim


def cycles(config: Config) -> int:
    """Return how many cycles a training step has; only the last is one with gradient."""
    return 1 if config.model.architecture == "text" else config.model.h_cycles


def looks_ahead(config: Config) -> bool:
    """Return whether a training step computes the next one too, for the continue loss."""
    return config.train.continue_loss and config.model.architecture == "puzzle"


def forward_flops(config: Config) -> int:
    """Return the operations of one supervision step of one row without its backward pass."""
    return cycles(config) * applications(config) * _application(shape_of(config)) + _heads(config)


def training_flops(config: Config) -> int:
    """Return the operations of one supervision step of one row in training.

    The backward pass through the last cycle costs twice its forward pass.
    """
    backward = 2 * (applications(config) * _application(shape_of(config)) + _heads(config))
    return backward + (2 if looks_ahead(config) else 1) * forward_flops(config)


def _application(shape: Shape) -> int:
    """Return the operations of the network applied once to one row."""
    mlp = 2 * shape.mlp_weights * shape.positions
    if shape.length_width:
        mixer = 2 * shape.mixer_weights * shape.size
    else:
        scores_and_values = (2 if shape.causal else 4) * shape.positions**2 * shape.size
        mixer = 2 * shape.mixer_weights * shape.positions + scores_and_values
    return shape.layers * (mixer + mlp)


def _heads(config: Config) -> int:
    halting = 0 if config.model.architecture == "text" else 2
    return 2 * config.model.hidden_size * (config.task.vocab_size * config.task.seq_len + halting)
