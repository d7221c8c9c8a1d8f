"""The training loop, and what happens around a step."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

from engine.config import Config, dumps
from engine.errors import DivergedError, TrmError
from engine.hardware import Monitor
from engine.prepare import Decision
from engine.runs import Checkpoint, Session, weights_sha256
from engine.training.control import Control
from engine.training.evaluate import Evaluation, evaluate
from engine.training.events import (
    Evaluated,
    Event,
    Finished,
    Listener,
    Paused,
    Saved,
    Started,
    Stepped,
    Warned,
)
from engine.training.learner import Learner, Update
from engine.training.progress import Rate, Stopwatch, Window

_SKIPS_BEFORE_ROLLBACK = 3
_MOST_ROLLBACKS = 3
_ROLLBACK_LR = 0.5
_HIGHEST_LR = 10.0  # of TrainConfig
_SECONDS_BETWEEN_EVENTS = 0.5


@dataclasses.dataclass(frozen=True)
class Limits:
    """When this sitting ends, other than by the configuration: clean, resumable stops. None for no limit."""

    seconds: float | None = None
    step: int | None = None


class Trainer:
    """Trains a learner in the calling thread, writes its session, and tells its listeners."""

    def __init__(
        self,
        learner: Learner,
        session: Session,
        monitor: Monitor,
        control: Control,
        *,
        listeners: Sequence[Listener] = (),
        limits: Limits | None = None,
        plan: Mapping[int, Config] | None = None,
        seconds: float = 0.0,
        rollbacks: int = 0,
    ) -> None:
        self.learner = learner
        self.session = session
        self.monitor = monitor
        self.control = control
        self.listeners = listeners
        self.limits = limits or Limits()
        self.plan = dict(plan or {})
        self.stopwatch = Stopwatch(seconds)
        self.rollbacks = rollbacks
        self.window, self.rate = Window(), Rate()
        self.evaluation: Evaluation | None = None
        self.reached_target = False
        self._saved_step = -1
        self._saved_at = self._told_at = time.monotonic()

    def run(self, hardware: Mapping[str, object], decisions: Sequence[Decision]) -> Finished:
        """Train until the last step, the target accuracy, a limit or a request to stop; save."""
        self._begin(hardware, decisions)
        try:
            while not self._complete() and not self._limited() and not self._held():
                self._apply_changes()
                update = self.learner.learn(self.learner.config.micro_batch, self._held_within_step)
                if update is None:
                    continue
                self._observe(update)
                if not update.applied:
                    self._recover()
                if self._evaluation_due():
                    self._evaluate(final=False)
                if reason := self._checkpoint_due():
                    self._save(reason)
            return self._finish()
        except DivergedError as error:
            return self._ended("diverged", str(error))
        except BaseException as error:
            self._fail(error)
            raise

    # --- around the loop ----------------------------------------------------------------------------------

    def _begin(self, hardware: Mapping[str, object], decisions: Sequence[Decision]) -> None:
        config, counters = self.learner.config, self.learner.counters
        for decision in decisions:
            self.session.log("info", f"decision: {decision}")
        self._emit(
            Started(
                session=self.session.id,
                step=counters.step,
                steps=config.train.steps,
                parameters=self._parameter_count,
                config=config.model_dump(),
                hardware=hardware,
                data=self.learner.task.facts,
                decisions=[dataclasses.asdict(decision) for decision in decisions],
            )
        )
        self.session.update(status="running")
        if counters.step == 0:
            self._save("start")
        self._saved_step = counters.step
        self.stopwatch.start()

    @property
    def _parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.learner.model.parameters())

    def _complete(self) -> bool:
        return self.reached_target or self.learner.counters.step >= self.learner.config.train.steps

    def _limited(self) -> bool:
        limits = self.limits
        if limits.seconds is not None and self.stopwatch.seconds >= limits.seconds:
            self.control.stop(f"{limits.seconds:g} seconds are over")
        if limits.step is not None and self.learner.counters.step >= limits.step:
            self.control.stop(f"step {limits.step} is reached")
        return self.control.stopping

    def _held(self) -> bool:
        """Wait while paused, saved; return whether the run is to stop."""
        return self.control.hold(self._paused, self._show_weights)

    def _held_within_step(self) -> bool:
        # Half a step cannot be saved: the pause holds it, and a stop undoes it.
        return self.control.hold(self._paused_within_step, self._show_weights)

    def _held_in_evaluation(self) -> bool:
        # The model holds the averaged weights and the stopwatch stands: the pause is told, nothing is saved.
        return self.control.hold(self._told_of_pause)

    def _show_weights(self) -> None:
        for receive in self.control.take_looks():
            receive(self.learner.counters.step, self.learner.averaged_copy())

    def _paused(self, paused: bool) -> None:
        if paused:
            self._save("pause")
        self._paused_within_step(paused)

    def _paused_within_step(self, paused: bool) -> None:
        (self.stopwatch.stop if paused else self.stopwatch.start)()
        self._told_of_pause(paused)

    def _told_of_pause(self, paused: bool) -> None:
        self.session.update(status="paused" if paused else "running")
        self._emit(Paused(self.learner.counters.step, paused))

    def _apply_changes(self) -> None:
        self._show_weights()
        step = self.learner.counters.step
        if (planned := self.plan.pop(step, None)) is not None:
            self._reconfigure(planned, "replayed")
        if extra := self.control.take_extension():
            train = self.learner.config.train
            longer = train.model_copy(update={"steps": train.steps + extra})
            self._reconfigure(
                self.learner.config.model_copy(update={"train": longer}), f"extended by {extra} steps"
            )
        if (factor := self.control.take_lr_factor()) != 1:
            train = self.learner.config.train
            rates = {
                name: min(getattr(train, name) * factor, _HIGHEST_LR) for name in ("lr", "puzzle_emb_lr")
            }
            changed = train.model_copy(update=rates)
            self._reconfigure(
                self.learner.config.model_copy(update={"train": changed}), f"learning rate × {factor:g}"
            )

    def _reconfigure(self, config: Config, reason: str) -> None:
        self.learner.reconfigure(config)
        self.session.configure(dumps(config), self.learner.counters.step, reason)
        self.session.log("info", f"configuration at step {self.learner.counters.step}: {reason}")

    # --- after a step -------------------------------------------------------------------------------------

    def _observe(self, update: Update) -> None:
        learner = self.learner
        counters, train = learner.counters, learner.config.train
        self.window.add(update, len(learner.carry))
        self.rate.see(self.stopwatch.seconds, counters.samples)
        if counters.step % train.log_every == 0 or counters.step >= train.steps:
            self._report(recorded=True)
        elif time.monotonic() - self._told_at >= _SECONDS_BETWEEN_EVENTS:
            self._report(recorded=False)

    def _report(self, *, recorded: bool) -> None:
        """Tell the listeners how training goes; `recorded`: write it down too, and begin a new window."""
        learner = self.learner
        counters, train = learner.counters, learner.config.train
        sample = self.monitor.latest()
        event = Stepped(
            step=counters.step,
            steps=train.steps,
            samples=counters.samples,
            **self.window.means(),
            lr=learner.lr,
            samples_per_second=self.rate.samples_per_second,
            seconds=self.stopwatch.seconds,
            eta_seconds=self.rate.eta_seconds(learner),
            rss_bytes=sample.rss_bytes,
            available_bytes=sample.available_bytes,
            cpu_percent=sample.cpu_percent,
            micro_batch=learner.config.micro_batch,
            loss_digest=counters.digest,
        )
        self._told_at = time.monotonic()
        if recorded:
            self.session.metrics.append(event.to_dict())
            self.window = Window()
        self._emit(event)

    def _recover(self) -> None:
        """After a step whose loss or gradient was unsound (and which was skipped): warn, then roll back."""
        counters = self.learner.counters
        self._warn("skipped-step", f"step {counters.step} skipped: the loss or its gradient was not sound")
        if counters.skipped_in_a_row < _SKIPS_BEFORE_ROLLBACK:
            return
        if self.rollbacks == _MOST_ROLLBACKS:
            raise DivergedError(
                f"training diverged at step {counters.step}, and {_MOST_ROLLBACKS} returns to a checkpoint "
                f"with a lower rate did not help; lower train.lr (now {self.learner.config.train.lr:g})"
            )
        self.rollbacks += 1
        diverged_at = counters.step
        scale = counters.lr_scale * _ROLLBACK_LR
        checkpoint, warnings = self.session.load()
        for warning in warnings:
            self._warn("damaged-checkpoint", warning)
        self.learner.restore(checkpoint.weights, checkpoint.tensors, checkpoint.state["learner"])
        self.learner.counters.lr_scale = scale
        self.session.metrics.rewind(checkpoint.step)
        self.window = Window()
        self._warn(
            "rollback",
            f"diverged at step {diverged_at}: back to step {checkpoint.step} with the rate × {scale:g}",
        )

    # --- evaluation and checkpoints -----------------------------------------------------------------------

    def _evaluation_due(self) -> bool:
        every, step = self.learner.config.eval.every, self.learner.counters.step
        if self.control.take_evaluation():
            return self.learner.counters.skipped_in_a_row == 0
        return every > 0 and step % every == 0 and self.learner.counters.skipped_in_a_row == 0

    def _evaluate(self, *, final: bool) -> None:
        self.stopwatch.stop()
        config, test = self.learner.config, self.learner.task.test
        with self.learner.averaged_weights():
            measured = evaluate(
                self.learner.model,
                test if final else test.head(min(config.eval.puzzles, len(test))),
                max_steps=config.eval_steps,
                batch_size=config.eval.batch_size,
                stopping=lambda: self._held_in_evaluation() and not final,
            )
        step = self.learner.counters.step
        if not final and measured.puzzles < min(config.eval.puzzles, len(test)):
            return  # a stop was asked for half-way: a partial figure is no figure
        self.evaluation = measured
        event = Evaluated(step, final, measured.to_dict())
        self.session.metrics.append({**event.to_dict(), "seconds_trained": self.stopwatch.seconds})
        self._emit(event)
        if not final:
            target = config.eval.target_accuracy
            self.reached_target = target > 0 and measured.exact_accuracy >= target
            best = self.session.best
            if best is None or measured.exact_accuracy > best.score:
                self._save("best", best_score=measured.exact_accuracy)
        self.stopwatch.start()

    def _checkpoint_due(self) -> str | None:
        settings, step = self.learner.config.checkpoint, self.learner.counters.step
        if self.control.take_checkpoint():
            return "asked"
        if settings.every_steps and step % settings.every_steps == 0:
            return "steps"
        if settings.every_seconds and time.monotonic() - self._saved_at >= settings.every_seconds:
            return "time"
        return None

    def _save(self, reason: str, best_score: float | None = None) -> None:
        step = self.learner.counters.step
        if step == self._saved_step and best_score is None:
            return
        state = {
            "learner": self.learner.state(),
            "seconds": self.stopwatch.seconds,
            "rollbacks": self.rollbacks,
        }
        checkpoint = Checkpoint(step, self.learner.weights(), self.learner.tensors(), state)
        self.session.save(checkpoint, keep=self.learner.config.checkpoint.keep, best_score=best_score)
        self._saved_step, self._saved_at = step, time.monotonic()
        self._emit(Saved(step, reason))

    # --- the end ------------------------------------------------------------------------------------------

    def _finish(self) -> Finished:
        self.stopwatch.stop()
        if self.window.steps:
            self._report(recorded=True)
        self._save("end")
        if self._complete():
            self._evaluate(final=True)
            self.stopwatch.stop()
            return self._ended(
                "completed", "target accuracy reached" if self.reached_target else "last step reached"
            )
        return self._ended("stopped", self.control.stop_reason or "asked to stop")

    def _ended(self, status: str, reason: str) -> Finished:
        counters, seconds = self.learner.counters, self.stopwatch.seconds
        finished = Finished(
            session=self.session.id,
            status=status,
            reason=reason,
            steps=counters.step,
            samples=counters.samples,
            seconds=seconds,
            samples_per_second=counters.samples / seconds if seconds else 0.0,
            weights_sha256=weights_sha256(self.learner.weights()),
            eval=self.evaluation.to_dict() if self.evaluation else {},
            resources={**self.monitor.summary().to_dict(), "batch_reductions": 0},
        )
        summary = {**finished.to_dict(), "parameters": self._parameter_count}
        if (best := self.session.best) is not None:
            summary["best_exact_accuracy"] = best.score
        self.session.update(status=status, summary=summary)
        self.session.log("info" if status != "diverged" else "error", f"{status}: {reason}")
        self._emit(finished)
        return finished

    def _fail(self, error: BaseException) -> None:
        """Leave a record of an error; the last checkpoint stands as it is."""
        message = str(error) if isinstance(error, TrmError) else f"{type(error).__name__}: {error}"
        self.session.log("error", message)
        self.session.update(status="failed")

    def _warn(self, code: str, message: str) -> None:
        self.session.log("warning", message)
        self._emit(Warned(code, message))

    def _emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)
