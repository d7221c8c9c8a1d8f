"""What a configuration's model is made of: the sizes that decide its cost, and what its kind says of it.

Notation as in the model: S positions (prefix and sequence), D width, W and Wt inner widths of the SwiGLUs
along the width and along the length, V tokens.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from trm_engine.compute.windows import pairs
from trm_engine.config.kinds import kind_of
from trm_engine.config.registry import imported
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
    windowed_pairs: int = 0
    """Pairs of positions that windowed attention compares; 0 where it compares all."""

    @property
    def attention_flops(self) -> int:
        """Operations of one block's scores, and of the values mixed by them."""
        if self.length_width:
            return 0
        if self.windowed_pairs:
            return 4 * self.windowed_pairs * self.size
        return (2 if self.causal else 4) * self.positions**2 * self.size

    @property
    def mixer_weights(self) -> int:
        """Weights of one block's mixer."""
        return 3 * self.length_width * self.positions if self.length_width else 4 * self.size**2

    @property
    def mlp_weights(self) -> int:
        """Weights of one block's SwiGLU along the width."""
        return 3 * self.width * self.size

    @property
    def state(self) -> int:
        """Numbers of one state of one row."""
        return self.positions * self.size


class Costs(ABC):
    """What one kind of model does more or less of than another; the formulas are the same for all."""

    causal: ClassVar[bool] = False
    """Does a position see only those before it?"""
    exact: ClassVar[bool] = True
    """Do the settings alone decide how many weights there are? Else they are counted at most."""
    shrinks: ClassVar[str]
    """The setting of [model] that makes the network be applied less often in a cycle."""
    evaluation_slack: ClassVar[float]
    """Memory that an evaluation takes beside what it needs, as a factor: blocks that the allocator keeps."""

    @abstractmethod
    def prefix(self, config: Config) -> int:
        """Return the positions in front of the sequence."""

    @abstractmethod
    def parameters_outside(self, config: Config, shape: Shape) -> int:
        """Return the weights outside of the blocks that backpropagation trains: embeddings and heads."""

    @abstractmethod
    def applications(self, config: Config) -> int:
        """Return how often the network is applied in one cycle."""

    @abstractmethod
    def cycles(self, config: Config) -> int:
        """Return how many cycles a training step has; only the last is one with gradient."""

    @abstractmethod
    def recursion(self, config: Config) -> str:
        """Return in a few characters how often the network is applied: `H 2, L 2`."""

    @abstractmethod
    def looks_ahead(self, config: Config) -> bool:
        """Return whether a training step computes the next one too."""

    @abstractmethod
    def outputs(self, config: Config) -> int:
        """Return the numbers that the heads compute for one row."""

    @abstractmethod
    def carried_states(self, config: Config) -> int:
        """Return the states of each row that stay from one step to the next."""

    @abstractmethod
    def evaluation_steps(self, config: Config) -> int:
        """Return how many supervision steps evaluate one row."""

    @abstractmethod
    def evaluation_logits(self, config: Config) -> int:
        """Return the numbers that an evaluation holds of one row's logits, where they are many."""


def costs_of(config: Config) -> Costs:
    """Return what the models of a configuration's kind cost."""
    return imported(kind_of(config).costs, Costs)()


def shape_of(config: Config) -> Shape:
    """Return the sizes of a configuration."""
    model, costs = config.model, costs_of(config)
    prefix, grid, window = costs.prefix(config), config.task.grid, model.attention_window
    positions = config.task.seq_len + prefix
    return Shape(
        positions=positions,
        size=model.hidden_size,
        layers=model.layers,
        width=model.swiglu_width(model.hidden_size),
        length_width=model.swiglu_width(positions) if model.mixer == "mlp_t" else 0,
        causal=costs.causal,
        windowed_pairs=pairs(grid, window, prefix) if window and grid else 0,
    )
