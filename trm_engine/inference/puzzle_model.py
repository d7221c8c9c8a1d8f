"""A trained model that solves puzzles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trm_engine.config import Config
from trm_engine.errors import SessionError
from trm_engine.inference.evaluate import Evaluation, evaluate, judge_of
from trm_engine.inference.looks import Looking
from trm_engine.inference.model import Model, put_weights
from trm_engine.inference.supervise import Refinement, refine, supervise
from trm_engine.inference.verified import Outcome, Seen, solve
from trm_engine.inference.verified_evaluation import VerifiedEvaluation, evaluate_verified
from trm_engine.models.trm import TRM, build_model
from trm_engine.progress import Progress
from trm_engine.remedies import Advice
from trm_engine.sessions import Store
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.base import PuzzleTask, Task
from trm_engine.tasks.examples import Examples, Source, Tokens
from trm_engine.tasks.kit.symmetry import VIEWS


@dataclass(frozen=True, kw_only=True)
class PuzzleModel(Model):
    """A model that refines its answer to a puzzle from one supervision step to the next."""

    network: TRM
    learned: ClassVar[str] = "puzzles"
    used_for: ClassVar[tuple[Advice, ...]] = (Advice.SOLVE,)

    @classmethod
    def from_weights(
        cls,
        store: Store,
        session: str,
        step: int,
        config: Config,
        weights: Mapping[str, Tensor],
        warnings: tuple[str, ...] = (),
    ) -> PuzzleModel:
        """Return the model that has these weights; how many puzzles have embeddings is read off them."""
        del store
        if "puzzle_emb" not in weights:
            raise SessionError(f"session {session}: the weights of step {step} lack puzzle_emb")
        ids = weights["puzzle_emb"].shape[0]
        network = build_model(config, ids, torch.Generator().manual_seed(0))
        put_weights(network, weights, session, step, config.runtime, belong="configuration")
        return cls(session=session, step=step, config=config, network=network, warnings=warnings)

    def task(self, progress: Progress | None = None) -> PuzzleTask:
        """Return the task that the model was trained on; its puzzles are read when they are first used."""
        return build_puzzles(self.config.task, progress)

    def refine(self, puzzle: Tokens, *, puzzle_id: int = 0, max_steps: int = 0) -> Iterator[Refinement]:
        """Yield the answer to a puzzle (L,) after each supervision step; 0 steps: as configured."""
        return refine(self.network, puzzle, max_steps or self.config.eval_steps, puzzle_id)

    def answers(self, examples: Examples) -> Tokens:
        """Return the answers (N, L) to puzzles after all supervision steps, computed together."""
        steps = supervise(
            self.network, examples.inputs, examples.puzzle_ids, max_steps=self.config.eval_steps
        )
        *_, last = steps
        answers: Tokens = last.answers.numpy()
        return answers

    def solve(
        self,
        task: PuzzleTask,
        puzzle: Tokens,
        *,
        puzzle_id: int = 0,
        looking: Looking | None = None,
        observe: Callable[[Seen], None] | None = None,
    ) -> Outcome:
        """Solve a puzzle (L,) until the rules accept the answer; `observe` hears of every step."""
        (outcome,) = solve(
            self.network,
            task,
            np.asarray(puzzle)[None],
            np.array([puzzle_id]),
            looking or self.looking(),
            batch_size=1,
            observe=observe,
        )
        return outcome

    def looking(self, looks: int = VIEWS, *, max_steps: int = 0, noise: float = 0.0) -> Looking:
        """Return how puzzles are looked at; 0 steps: as many as the configuration evaluates with."""
        return Looking(max_steps or self.config.eval_steps, looks, noise)

    def evaluate_verified(
        self,
        task: PuzzleTask,
        examples: Source,
        looking: Looking,
        *,
        progress: Callable[[int, int], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> VerifiedEvaluation:
        """Measure how many puzzles are solved when the rules decide, and what it costs."""
        return evaluate_verified(
            self.network,
            task,
            examples,
            looking,
            batch_size=self.config.eval.batch_size,
            progress=progress,
            stopping=stopping,
        )

    def evaluate(
        self,
        task: Task,
        examples: Source,
        *,
        progress: Callable[[int, int], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
        max_steps: int = 0,
        early_halt: bool = False,
    ) -> Evaluation:
        """Measure how many puzzles are solved after so many supervision steps; 0: as configured.

        With `early_halt`, each puzzle stops at its first positive halting logit.
        """
        return evaluate(
            self.network,
            examples,
            max_steps=max_steps or self.config.eval_steps,
            batch_size=self.config.eval.batch_size,
            early_halt=early_halt,
            cross_entropy=self.config.train.loss,
            solved=judge_of(task),
            parts=task.part_names,
            progress=progress,
            stopping=stopping,
        )
