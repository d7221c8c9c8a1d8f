"""What a model that solves puzzles costs: two states under deep supervision, and a halting head."""

from __future__ import annotations

from typing import ClassVar

from trm_engine.config.sections import Config
from trm_engine.planning.costs import Costs, Shape


class PuzzleCosts(Costs):
    """Cycles without gradient before the last one; states that are carried from step to step."""

    shrinks: ClassVar[str] = "l_cycles"
    # Without gradients two blocks' sizes alternate, and hardly any fits where another was.
    evaluation_slack: ClassVar[float] = 1.9

    def prefix(self, config: Config) -> int:
        """Return the positions of the puzzle embedding, and the registers."""
        return config.puzzle_emb_len + config.model.registers

    def parameters_outside(self, config: Config, shape: Shape) -> int:
        """Return the weights of tokens in and out, registers, learned positions and the halting head."""
        rows = 2 * config.task.vocab_size + config.model.registers
        if config.model.positions == "learned":
            rows += shape.positions
        return shape.size * rows + 2 * shape.size + 2

    def applications(self, config: Config) -> int:
        """Return the updates of the latent, and the one of the answer."""
        return config.model.l_cycles + 1

    def cycles(self, config: Config) -> int:
        """Return `h_cycles`."""
        return config.model.h_cycles

    def recursion(self, config: Config) -> str:
        """Return both kinds of cycles."""
        return f"H {config.model.h_cycles}, L {config.model.l_cycles}"

    def looks_ahead(self, config: Config) -> bool:
        """Return whether the continue loss needs the next step's halting logits."""
        return config.train.continue_loss

    def outputs(self, config: Config) -> int:
        """Return the logits of every position, and the two of the halting head."""
        return config.task.vocab_size * config.task.seq_len + 2

    def carried_states(self, config: Config) -> int:
        """Return answer and latent, or the single state."""
        return config.model.states

    def evaluation_steps(self, config: Config) -> int:
        """Return the configured supervision steps."""
        return config.eval_steps

    def evaluation_logits(self, config: Config) -> int:
        """Return none: they are few beside a puzzle's states."""
        del config
        return 0
