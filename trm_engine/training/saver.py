"""What a run saves and when, and the way back to it when training diverges."""

from __future__ import annotations

import time

from trm_engine.errors import DivergedError
from trm_engine.learning.counters import Update
from trm_engine.sessions import Checkpoint
from trm_engine.training.events import Saved
from trm_engine.training.run import Run

_SKIPS_BEFORE_ROLLBACK = 3
_MOST_ROLLBACKS = 3
_ROLLBACK_LR = 0.5


class Saver:
    """Writes a learner's whole state as checkpoints of its session, and puts one back in force."""

    def __init__(self, run: Run, *, rollbacks: int) -> None:
        self.saved_step: int | None = None
        """The step of the newest checkpoint of this sitting, or of the one that it resumes from."""
        self._run = run
        self._learner = run.learner
        self._rollbacks = rollbacks
        self._saved_at = time.monotonic()

    def begin(self) -> None:
        """Save a new run before its first step; one that goes on is saved already."""
        if self._learner.counters.step == 0:
            self.save("start")
        self.saved_step = self._learner.counters.step

    def save_when_due(self) -> None:
        """Save where a request, the steps or the seconds since the last checkpoint say so."""
        if reason := self._due():
            self.save(reason)

    def _due(self) -> str | None:
        settings, step = self._learner.config.checkpoint, self._learner.counters.step
        if self._run.control.take_checkpoint():
            return "asked"
        if settings.every_steps and step % settings.every_steps == 0:
            return "steps"
        if settings.every_seconds and time.monotonic() - self._saved_at >= settings.every_seconds:
            return "time"
        return None

    def save(self, reason: str, best_score: float | None = None) -> None:
        """Save the state, unless that of this step is saved already and is no new best."""
        step = self._learner.counters.step
        # A pause, an evaluation and the end may all fall on one step: the second save would add nothing.
        if step == self.saved_step and best_score is None:
            return
        state = {
            "learner": self._learner.state(),
            "seconds": self._run.stopwatch.seconds,
            "rollbacks": self._rollbacks,
            "memory": self._run.memory.state(self._learner.config),
        }
        checkpoint = Checkpoint(step, self._learner.weights(), self._learner.tensors(), state)
        keep = self._learner.config.checkpoint.keep
        words = self._run.session.save(checkpoint, keep=keep, best_score=best_score)
        self.saved_step, self._saved_at = step, time.monotonic()
        self._run.memory.tidy(self._learner.config)
        self._run.reporter.emit(Saved(step, reason))
        for word in words:
            self._run.reporter.warn("damaged-checkpoint", word)

    def recover(self, skipped: Update) -> bool:
        """After a step whose loss or gradient was unsound (and which was skipped): warn, then roll back.

        Returns whether it rolled back. Raises `DivergedError` when that has not helped.
        """
        counters = self._learner.counters
        self._run.reporter.warn(
            "skipped-step", f"step {skipped.step} skipped: non-finite gradient or loss spike"
        )
        # A single bad batch is passed over; several in a row mean that the weights are the problem.
        if skipped.skipped_in_a_row < _SKIPS_BEFORE_ROLLBACK:
            return False
        if self._rollbacks == _MOST_ROLLBACKS:
            raise DivergedError(
                f"training diverged at step {skipped.step}, and {_MOST_ROLLBACKS} returns to a checkpoint "
                f"with a lower rate did not help; lower train.lr (now {self._learner.config.train.lr:g})"
            )
        self._rollbacks += 1
        diverged_at = skipped.step
        scale = counters.lr_scale * _ROLLBACK_LR
        step = self.go_back()
        # After going back, which restores the counters of then: else the rate would be the old one again.
        self._learner.scale_rate(scale)
        self._run.reporter.warn(
            "rollback", f"diverged at step {diverged_at}: back to step {step} with the rate × {scale:g}"
        )
        return True

    def go_back(self) -> int:
        """Go on from the newest sound checkpoint under the configuration in force; return its step."""
        checkpoint, warnings = self._run.session.load()
        for warning in warnings:
            self._run.reporter.warn("damaged-checkpoint", warning)
        self._learner.restore(checkpoint.weights, checkpoint.tensors, checkpoint.state["learner"])
        self._learner.reconfigure(self._learner.config)  # the checkpoint's batch may be larger
        self._run.reporter.forget(checkpoint.step)
        return checkpoint.step
