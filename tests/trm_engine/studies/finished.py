"""Sessions of trials that were never trained: what they would have measured is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trm_engine.config import dumps
from trm_engine.sessions import Store
from trm_engine.studies.catalogue import select
from trm_engine.studies.plan import Plan, Trial, build_plan

PUZZLES = 400
BASE = """
[task]
kind = "sudoku"
clues = 6
train_size = 40
test_size = 400
[train]
batch_size = 64
steps = 1000
warmup_steps = 2
[eval]
every = 100
"""


def planned(folder: Path, study: str, base: str = BASE) -> Plan:
    """Write a study and return its plan."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "base.toml").write_text(base, encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(study, encoding="utf-8")
    return build_plan(select(str(path)))


def finish(
    store: Store,
    trial: Trial,
    accuracy: float,
    *,
    status: str = "completed",
    seconds: float = 60.0,
    further: Mapping[str, float] | None = None,
    history: Callable[[float], float] | None = None,
) -> None:
    """Write a trial's session: solved puzzles are drawn from its seed, the same for the same accuracy."""
    order = np.random.default_rng(0).permutation(PUZZLES)  # the same puzzles are hard for every model
    solved = np.zeros(PUZZLES, np.bool_)
    solved[order[: round(accuracy * PUZZLES)]] = True
    figures: dict[str, Any] = {
        "puzzles": PUZZLES,
        "max_steps": 8,
        "exact_accuracy": float(solved.mean()),
        "cell_accuracy": 1 - (1 - accuracy) / 4,
        "lm_loss": 0.1 + (1 - accuracy) / 2,
        "early_exact_accuracy": accuracy * 0.99,
        "mean_steps": 3.0,
        **(further or {}),
    }
    steps = trial.config.train.steps
    with store.create(
        dumps(trial.config), "planted", name=trial.name, trial=trial.digest, data={"test": "same"}
    ) as session:
        every = trial.config.eval.every
        for step in range(every, steps + 1, every):
            reached = (history or (lambda share: accuracy * share))(step / steps)
            session.metrics.append(
                {"event": "eval", "step": step, "final": False, **figures, "exact_accuracy": reached,
                 "seconds_trained": seconds * step / steps}
            )  # fmt: skip
        session.metrics.append({"event": "eval", "step": steps, "final": True, **figures})
        session.save_solved(np.packbits(solved).tobytes())
        session.update(status=status, summary={"steps": steps, "seconds": seconds, "eval": figures})
