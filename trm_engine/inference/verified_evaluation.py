"""How many puzzles are solved when the rules decide, and what it costs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from trm_engine.inference.looks import Looking
from trm_engine.inference.verified import Outcome, solve
from trm_engine.models.trm import TRM
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.examples import PAD, Source

_AT_ONCE = 4096


@dataclass
class VerifiedEvaluation:
    """Figures of verified solving: labels are counted against, and never used to choose.

    `proven` puzzles have an answer that the rules accept, `exact` ones an answer that is the label; `looks`
    and `steps` are sums over all puzzles. `proven_in` says how many were proven in which look.
    """

    looking: Looking
    judges: bool
    """Whether the rules of the task can accept an answer at all."""
    puzzles: int = 0
    proven: int = 0
    exact: int = 0
    looks: int = 0
    steps: int = 0
    seconds: float = 0.0
    proven_in: Counter[int] = field(default_factory=Counter)

    @property
    def accuracy(self) -> float:
        """Share of puzzles whose answer the rules accept; where they cannot, whose answer is the label."""
        return (self.proven if self.judges else self.exact) / max(self.puzzles, 1)

    @property
    def mean_looks(self) -> float:
        """Looks at a puzzle, on average."""
        return self.looks / max(self.puzzles, 1)

    @property
    def mean_steps(self) -> float:
        """Supervision steps of all looks at a puzzle, on average."""
        return self.steps / max(self.puzzles, 1)

    @property
    def puzzles_per_second(self) -> float:
        """Puzzles that were done with in a second."""
        return self.puzzles / self.seconds if self.seconds > 0 else 0.0

    def within(self) -> dict[int, float]:
        """Return the share of puzzles proven within 1, 2, 4, … looks, up to the number allowed."""
        most = self.looking.looks
        limits = [2**power for power in range(most.bit_length()) if 2**power < most] + [most]
        return {
            limit: sum(n for look, n in self.proven_in.items() if look <= limit) / max(self.puzzles, 1)
            for limit in limits
        }

    def add(self, outcome: Outcome, *, exact: bool) -> None:
        """Count a puzzle."""
        self.puzzles += 1
        self.proven += outcome.proven
        self.exact += exact
        self.looks += outcome.looks
        self.steps += outcome.steps
        if outcome.proven:
            self.proven_in[outcome.looks] += 1

    def to_dict(self) -> dict[str, object]:
        """Return all figures by name; shares are between 0 and 1."""
        return {
            "puzzles": self.puzzles,
            "max_looks": self.looking.looks,
            "max_steps": self.looking.max_steps,
            "noise": self.looking.noise,
            "verified_accuracy": self.proven / max(self.puzzles, 1) if self.judges else None,
            "exact_accuracy": self.exact / max(self.puzzles, 1),
            "mean_looks": self.mean_looks,
            "mean_steps": self.mean_steps,
            "verified_within": {str(looks): share for looks, share in self.within().items()},
            "seconds": self.seconds,
            "puzzles_per_second": self.puzzles_per_second,
        }


def evaluate_verified(
    model: TRM,
    task: PuzzleTask,
    examples: Source,
    looking: Looking,
    *,
    batch_size: int,
    progress: Callable[[int, int], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> VerifiedEvaluation:
    """Solve puzzles as `trm_engine.inference.verified` says, and count.

    `progress` hears (done, total) after each puzzle; when `stopping` turns true, what was measured so far is
    returned.
    """
    started = time.perf_counter()
    found = VerifiedEvaluation(looking, task.judges_all)
    for first in range(0, len(examples), _AT_ONCE):
        part = examples.take(slice(first, first + _AT_ONCE))
        for outcome in solve(model, task, part.inputs, part.puzzle_ids, looking, batch_size=batch_size):
            label = np.asarray(part.labels[outcome.puzzle])
            found.add(outcome, exact=bool(((outcome.answer == label) | (label <= PAD)).all()))
            found.seconds = time.perf_counter() - started
            if progress is not None:
                progress(found.puzzles, len(examples))
            if stopping():
                return found
    return found
