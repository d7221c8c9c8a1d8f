"""What finished trials measured, read from their sessions; the others are listed, never counted as 0."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trm_engine.json_text import number_of
from trm_engine.planning.flops import forward_flops
from trm_engine.sessions import Session, Store
from trm_engine.studies.axes import COSTS
from trm_engine.studies.plan import Plan, Trial
from trm_engine.studies.state import Found, look

Figures = Mapping[str, float]

FIGURES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "exact_accuracy": ("exact accuracy", ("exact_accuracy",)),
    "cell_accuracy": ("cell accuracy", ("cell_accuracy",)),
    "loss": ("held-out loss", ("lm_loss", "loss")),
}
"""What a study may fit: words for it, and the names it has in evaluations (of puzzles, of texts)."""


@dataclass(frozen=True)
class Result:
    """One finished trial."""

    trial: Trial
    session: str
    final: Figures
    """Of the last evaluation, over all test examples."""
    history: tuple[Figures, ...]
    """Evaluations while it trained, by rising `step`."""
    seconds: float
    """Time of training alone."""
    solved: npt.NDArray[np.bool_]
    """Which test puzzles were solved; empty where that was not kept."""
    test_set: str
    """Fingerprint of the test examples: only equal ones can be compared puzzle by puzzle."""

    def figure(self, name: str) -> float | None:
        """Return a figure of the last evaluation by its name in study files; None where there is none."""
        return next((self.final[key] for key in FIGURES[name][1] if key in self.final), None)

    @property
    def puzzles(self) -> int:
        """Puzzles of the last evaluation; 0 where it was no puzzles."""
        return int(self.final.get("puzzles", 0))

    @cached_property
    def costs(self) -> Mapping[str, float]:
        """Costs of training by name, and `seconds`, and `inference_flops` of a puzzle looked at in full."""
        config = self.trial.config
        inference = self.final.get("max_steps", config.eval_steps) * forward_flops(config)
        return {
            **{name: cost(config) for name, cost in COSTS.items()},
            "seconds": self.seconds,
            "inference_flops": inference,
        }


@dataclass(frozen=True)
class Missing:
    """A trial without a result, and why."""

    trial: Trial
    why: str


@dataclass(frozen=True)
class Results:
    """Results by digest of the trial, and what is missing, in the order of the plan."""

    found: Mapping[str, Result]
    missing: tuple[Missing, ...]


def read_results(store: Store, plan: Plan) -> Results:
    """Read what the trials of a plan have measured so far. Raises `SessionError` for unreadable files."""
    found: dict[str, Result] = {}
    missing: list[Missing] = []
    for one in look(store, plan.trials):
        result = _result(store, one) if one.stage == "done" else None
        if result is None:
            missing.append(Missing(one.trial, _why(one)))
        else:
            found[one.trial.digest] = result
    return Results(found, tuple(missing))


def _result(store: Store, one: Found) -> Result | None:
    assert one.record is not None
    session = store.get(one.record.id)
    evaluations = [record for record in session.metrics.read() if record.get("event") == "eval"]
    final = [_numbers(record) for record in evaluations if record.get("final")]
    if not final:
        return None
    return Result(
        trial=one.trial,
        session=one.record.id,
        final=final[-1],
        history=tuple(_numbers(record) for record in evaluations if not record.get("final")),
        seconds=math.nan if (seconds := number_of(one.record.summary.get("seconds"))) is None else seconds,
        solved=_solved(session, int(final[-1].get("puzzles", 0))),
        test_set=str(one.record.data.get("test", "")),
    )


def _numbers(record: Mapping[str, object]) -> Figures:
    return {name: number for name, value in record.items() if (number := number_of(value)) is not None}


def _solved(session: Session, puzzles: int) -> npt.NDArray[np.bool_]:
    bits = np.unpackbits(np.frombuffer(session.solved_bits(), np.uint8))
    return bits[:puzzles].astype(np.bool_) if len(bits) >= puzzles else np.zeros(0, np.bool_)


def _why(one: Found) -> str:
    at = f" at step {one.step:,} of {one.trial.config.train.steps:,}" if one.step else ""
    if one.stage == "done":
        return "finished, but nothing was measured at its end"
    if one.stage == "waiting":
        return "not begun"
    if one.stage == "begun":
        if one.shorter:
            return "finished with fewer steps"
        return f"{one.record.status if one.record else 'begun'}{at}"
    return f"{one.stage}{at}"


def by_experiment(plan: Plan, results: Results, experiment: str) -> Sequence[Result]:
    """Return the results of an experiment, by seed."""
    digests = [trial.digest for trial in plan.of(experiment)]
    return [results.found[digest] for digest in digests if digest in results.found]
