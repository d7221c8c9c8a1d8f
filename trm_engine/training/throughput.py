"""Running means between two records, the rate, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable

from trm_engine.compute.sums import Means, Sums
from trm_engine.learning.counters import Update
from trm_engine.learning.learner import Learner

_RATE_MEMORY = 0.9  # share of the old rate that survives a step; recent steps predict the next ones


class Stopwatch:
    """Seconds of training alone, with those of earlier sittings; evaluation, saving and pauses stop it."""

    def __init__(self, seconds: float = 0.0, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._before = seconds
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """Training seconds so far."""
        running = self._clock() - self._since if self._since is not None else 0.0
        return self._before + running

    def start(self) -> None:
        """Let it run."""
        self._since = self._clock()

    def stop(self) -> None:
        """Hold it."""
        self._before, self._since = self.seconds, None


class WindowMeans(Means):
    """Means over a window, named as in `Stepped`."""

    grad_norm: float


class Window:
    """Sums over the steps since the last record."""

    def __init__(self) -> None:
        self.steps = 0
        self.rows = 0
        self.sums: Sums | None = None
        self.grad_norm = 0.0

    def add(self, update: Update, rows: int) -> None:
        """Count one step over `rows` rows."""
        self.steps += 1
        self.rows += rows
        self.sums = update.sums if self.sums is None else self.sums + update.sums
        self.grad_norm += update.grad_norm

    def means(self) -> WindowMeans:
        """Return the means of what the model counts, and the gradient norm per step."""
        assert self.sums is not None
        return {**self.sums.means(self.rows), "grad_norm": self.grad_norm / self.steps}


class Rate:
    """Samples a second, smoothed over the recent steps."""

    def __init__(self) -> None:
        self.samples_per_second = 0.0
        self._last: tuple[float, int] | None = None

    def see(self, seconds: float, samples: int) -> None:
        """Note the training seconds and samples so far."""
        if self._last is not None and seconds > self._last[0]:
            now = (samples - self._last[1]) / (seconds - self._last[0])
            old = self.samples_per_second
            self.samples_per_second = _RATE_MEMORY * old + (1 - _RATE_MEMORY) * now if old else now
        self._last = (seconds, samples)

    def eta_seconds(self, learner: Learner) -> float:
        """Return the training seconds left until the last step, 0 while the rate is unknown."""
        left = max(learner.config.train.steps - learner.counters.step, 0) * learner.rows
        return left / self.samples_per_second if self.samples_per_second else 0.0
