"""What trials will take: time, memory and disk, corrected by what those that ran have taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from trm_engine.planning.time import run_seconds
from trm_engine.studies.plan import Trial

_ORDINARY_GFLOPS = 50.0
"""A machine's rate of matrix products where it is not known."""
_LEAST_SHARE = 0.02
"""Part of a trial that must have run before its pace says anything."""
_START_SECONDS = 4.0
"""Starting Python and torch, and making or reading the data."""


class Forecast:
    """Predictions for the trials of a plan on one machine, `slots` of them side by side."""

    def __init__(
        self,
        gemm_gflops: float | None,
        slots: int,
        *,
        available_bytes: Callable[[], int | None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        # Trials side by side share the machine's arithmetic evenly.
        self._gflops = (gemm_gflops or _ORDINARY_GFLOPS) / max(slots, 1)
        self._slots = max(slots, 1)
        self._available = available_bytes
        self._now = now
        self._began: dict[str, tuple[Trial, float]] = {}
        self._from: dict[str, int] = {}
        self._steps: dict[str, int] = {}
        self._spent = self._predicted = 0.0
        """Seconds of trials that ended here, and what had been predicted for them."""

    def seconds(self, trial: Trial) -> float:
        """Return how long a trial takes, by prediction."""
        return _START_SECONDS + run_seconds(trial.config, self._gflops)

    def total_seconds(self, trials: Iterable[Trial]) -> float:
        """Return how long trials take together: the longest, or all of them shared among the slots."""
        times = [self.seconds(trial) for trial in trials]
        return max(sum(times) / self._slots, max(times, default=0.0))

    def has_room(self, trial: Trial, beside: Sequence[Trial]) -> bool:
        """Return whether a trial fits into memory beside those that run (whose full need may be to come)."""
        available = self._available()
        if available is None:
            return True
        young = sum(one.fit.peak_rss_bytes for one in beside if self._steps.get(one.digest, 0) == 0)
        return trial.fit.peak_rss_bytes + young <= available

    def began(self, trial: Trial) -> None:
        """Note that a trial begins, or goes on."""
        self._began[trial.digest] = (trial, self._now())
        self._from.pop(trial.digest, None)

    def stepped(self, trial: Trial, step: int) -> None:
        """Note how far a trial is."""
        self._from.setdefault(trial.digest, step)
        self._steps[trial.digest] = step

    def finished(self, trial: Trial) -> None:
        """Note that a trial has ended well; one that ended elsewhere says nothing of the pace."""
        began = self._began.pop(trial.digest, None)
        if began is not None and self._from.get(trial.digest, 0) <= trial.config.train.log_every:
            self._spent += self._now() - began[1]
            self._predicted += self.seconds(trial)

    @property
    def pace(self) -> float:
        """How much longer trials take than predicted."""
        spent, predicted = self._spent, self._predicted
        for trial, began in self._began.values():
            share = self._share(trial) - self._from.get(trial.digest, 0) / trial.config.train.steps
            if share >= _LEAST_SHARE:
                spent += self._now() - began
                predicted += share * self.seconds(trial)
        return spent / predicted if predicted else 1.0

    def eta(self, running: Sequence[Trial], waiting: Sequence[Trial]) -> float:
        """Return the seconds until all of these have ended."""
        left = [self.seconds(trial) * (1 - self._share(trial)) for trial in running]
        left += [self.seconds(trial) for trial in waiting]
        return self.pace * max(sum(left) / self._slots, max(left, default=0.0))

    def _share(self, trial: Trial) -> float:
        return min(self._steps.get(trial.digest, 0) / trial.config.train.steps, 1.0)
