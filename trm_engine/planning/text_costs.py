"""What a model that writes text costs: one causal state, refined with gradient all the way."""

from __future__ import annotations

from typing import ClassVar

from trm_engine.config.sections import Config
from trm_engine.planning.costs import Costs, Shape


class TextCosts(Costs):
    """One cycle of all recursion steps; nothing is carried, and only the text knows its vocabulary."""

    causal: ClassVar[bool] = True
    exact: ClassVar[bool] = False
    shrinks: ClassVar[str] = "recursion_steps"
    # An evaluation goes through one block size after the other only once: its logits are the largest.
    evaluation_slack: ClassVar[float] = 1.1

    def prefix(self, config: Config) -> int:
        """Return none."""
        del config
        return 0

    def parameters_outside(self, config: Config, shape: Shape) -> int:
        """Return the weights of tokens, the first state and learned positions.

        At most, for only the text knows how many tokens there are: exact for a configuration whose
        `max_vocabulary` is their number.
        """
        rows = config.task.vocab_size * (1 if config.model.tied_head else 2) + 1
        if config.model.positions == "learned":
            rows += shape.positions
        return shape.size * rows

    def applications(self, config: Config) -> int:
        """Return `recursion_steps`."""
        return config.model.recursion_steps

    def cycles(self, config: Config) -> int:
        """Return the one cycle."""
        del config
        return 1

    def recursion(self, config: Config) -> str:
        """Return the recursion steps."""
        return f"{config.model.recursion_steps} recursions"

    def looks_ahead(self, config: Config) -> bool:
        """Return that there is no next step to look at."""
        del config
        return False

    def outputs(self, config: Config) -> int:
        """Return the logits of every position."""
        return config.task.vocab_size * config.task.seq_len

    def carried_states(self, config: Config) -> int:
        """Return none: every step takes fresh windows."""
        del config
        return 0

    def evaluation_steps(self, config: Config) -> int:
        """Return the one pass."""
        del config
        return 1

    def evaluation_logits(self, config: Config) -> int:
        """Return the logits and their softmax: as wide as a small model."""
        return 2 * config.task.vocab_size * config.task.seq_len
